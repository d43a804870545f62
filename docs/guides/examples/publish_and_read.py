#!/usr/bin/env python3
"""Publishes one complaint, waits for its receipt and reads it back, with nothing but Python's own library.

    HUB_GATEWAY_URL=http://127.0.0.1:4330 HUB_KEY=… python3 docs/guides/examples/publish_and_read.py zj-demo/2026-0001

The caller needs the roles publisher and reader, and the source before the slash. Sending it again is safe: the verdict is then "duplicate".
Prints the verdict, the receipt and the record as one JSON object each. Ends with status 1 when the event was refused or did not arrive.
"""
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

GATEWAY = os.environ["HUB_GATEWAY_URL"].rstrip("/")
KEY = os.environ["HUB_KEY"]
ATTEMPTS = 5


def main() -> int:
    record_id = sys.argv[1]
    verdict = call("POST", "/v1/streams/complaint/events", {
        "recordId": record_id, "version": 1, "kind": "original", "authority": {"code": "330100", "rawName": "杭州市市场监督管理局"},
        "occurredOn": "2026-03-15", "state": "received", "registeredOn": "2026-03-15", "object": {"kind": "goods", "code": "G01"}, "issue": {"code": "03"},
    })
    show(verdict)
    if "eventId" not in verdict:
        return 1
    receipt = wait_until_arrived(verdict["eventId"])
    show(receipt)
    records = call("GET", "/v1/streams/complaint/records?" + urllib.parse.urlencode({"recordId": record_id}))
    show(records["records"][0])
    return 0


def wait_until_arrived(event_id, seconds=30):
    """The event is safe once it was accepted; this waits until the region's own replica has it too."""
    deadline = time.monotonic() + seconds
    while True:
        receipt = call("GET", f"/v1/receipts/{event_id}")
        own = receipt["topic"].split(".")[0][-2:]
        if any(region["region"] == own and region["state"] != "waiting" for region in receipt["regions"]):
            return receipt
        if time.monotonic() > deadline:
            raise TimeoutError(f"{event_id} has not arrived within {seconds} s")
        time.sleep(0.2)


def call(method, path, body=None):
    """One request; sent again after 429, 503 and a lost connection, which is safe: what was taken in before counts as duplicate."""
    for attempt in range(1, ATTEMPTS + 1):
        request = urllib.request.Request(GATEWAY + path, method=method, data=None if body is None else json.dumps(body).encode(), headers={
            "authorization": f"Bearer {KEY}", **({} if body is None else {"content-type": "application/json"}),
        })
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            # 409 and 422 are verdicts: they say what is wrong with the event.
            if error.code in (409, 422):
                return json.load(error)
            if error.code not in (429, 503) or attempt == ATTEMPTS:
                raise SystemExit(error.read().decode())
            time.sleep(float(error.headers.get("retry-after", 2)))
        except (urllib.error.URLError, ConnectionError):
            if attempt == ATTEMPTS:
                raise
            time.sleep(attempt)


def show(value):
    print(json.dumps(value, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
