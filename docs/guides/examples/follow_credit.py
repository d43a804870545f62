#!/usr/bin/env python3
"""Keeps a copy of what the credit lists say of some firms, with nothing but Python's own library.

    HUB_LOOKUP_URL=http://127.0.0.1:4341 HUB_KEY=… python3 docs/guides/examples/follow_credit.py permits 91330100799655058B …

Asks for the codes at once, then follows the changes from the same moment: what is to be stopped is dropped and acknowledged. Prints one JSON
object a line: each firm's verdict, then each change that concerns a kept record. Runs until it is stopped (`--changes N`: until N changes were told).
A lost connection is made again where it was; a cursor that is too old makes it ask for its codes again.
"""
import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

LOOKUP = os.environ["HUB_LOOKUP_URL"].rstrip("/")
KEY = os.environ["HUB_KEY"]
SILENCE_SECONDS = 45


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("name", help="name of the subscription, the same after a restart")
    arguments.add_argument("codes", nargs="+")
    arguments.add_argument("--changes", type=int, default=None)
    given = arguments.parse_args()
    left = given.changes
    kept, cursor = ask(given.codes)
    while left is None or left > 0:
        try:
            for event, cursor, data in follow(given.name, cursor):
                if event == "put" and data["uscc"] in given.codes:
                    kept[data["recordId"]] = data["uscc"]
                elif event == "stop-using" and kept.pop(data["recordId"], None) is None:
                    event = "nothing of ours"
                call("POST", "/v1/credit/changes/ack", {"cursor": cursor, "name": given.name}).close()
                if event not in ("put", "stop-using"):
                    continue
                show({"event": event, "recordId": data["recordId"]})
                left = None if left is None else left - 1
                if left == 0:
                    return 0
        except urllib.error.HTTPError as error:
            if error.code == 410:
                kept, cursor = ask(given.codes)
            elif error.code not in (429, 503):
                raise
        except OSError:
            pass
        time.sleep(1)
    return 0


def ask(codes):
    """What is kept of these codes now, by record id, and the cursor from which the changes go on."""
    kept = {}
    with call("POST", "/v1/credit/batch", {"codes": codes}) as answer:
        lines = [json.loads(line) for line in answer]
    if "summary" not in lines[-1]:
        raise ConnectionError("the answer is not whole")
    for line in lines[1:-1]:
        if "problem" in line:
            show(line)
            continue
        show({"uscc": line["uscc"], "verdict": line["verdict"]})
        for shown in line["listings"] + line["penalties"]:
            kept[shown["record"]["recordId"]] = line["uscc"]
    return kept, lines[0]["head"]["cursor"]


def follow(name, cursor):
    """Server-sent events after a cursor: name, cursor and data of each."""
    with call("GET", "/v1/credit/changes?" + urllib.parse.urlencode({"name": name, "after": cursor})) as answer:
        fields = {}
        for raw in answer:
            line = raw.decode().rstrip("\n")
            if line == "" and "data" in fields:
                yield fields["event"], fields["id"], json.loads(fields["data"])
                fields = {}
            elif ": " in line:
                field, value = line.split(": ", 1)
                fields[field] = value


def call(method, path, body=None):
    request = urllib.request.Request(LOOKUP + path, method=method, data=None if body is None else json.dumps(body).encode(), headers={
        "authorization": f"Bearer {KEY}", **({} if body is None else {"content-type": "application/json"}),
    })
    return urllib.request.urlopen(request, timeout=SILENCE_SECONDS)


def show(value):
    print(json.dumps(value, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
