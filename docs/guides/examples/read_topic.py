#!/usr/bin/env python3
"""Reads events of one topic with a client that shares nothing with the hub: librdkafka, fastavro and the registry's HTTP interface.

    python3 -m venv .hub/python && .hub/python/bin/pip install confluent-kafka fastavro
    .hub/python/bin/python docs/guides/examples/read_topic.py zj.complaint --count 3
    .hub/python/bin/python docs/guides/examples/read_topic.py zj.complaint --record-id 12315-zj/ZJTS202600001000

Where things are, and which Kafka user to be, is read from .hub/local.json, which `npm start` writes; --settings names another file of that form.
Prints one JSON object per event, oldest first, and ends at the end of the log. Control records (genesis, heartbeat) are left out.
"""
import argparse
import datetime
import functools
import io
import json
import pathlib
import struct
import urllib.request

import fastavro
from confluent_kafka import Consumer, OFFSET_BEGINNING, TopicPartition

LOCAL = pathlib.Path(__file__).resolve().parents[3] / ".hub" / "local.json"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("topic")
    parser.add_argument("--region", default="sh", help="whose Kafka user to be: every region may read every topic")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--record-id", help="only events of this record")
    parser.add_argument("--settings", type=pathlib.Path, default=LOCAL)
    args = parser.parse_args()
    settings = json.loads(args.settings.read_text())
    for event in read(settings, args.region, args.topic, args.count, args.record_id):
        print(json.dumps(event, ensure_ascii=False, default=plain))


def read(settings, region, topic, count, record_id):
    """Positions are the reader's own business: nothing is committed and no consumer group is joined."""
    consumer = Consumer({
        "bootstrap.servers": ",".join(settings["kafka"]["brokers"]),
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": settings["regions"][region]["kafka"]["username"],
        "sasl.password": settings["regions"][region]["kafka"]["password"],
        "log_level": 0,
        "group.id": f"{region}.read-topic",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    })
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        left = set(partitions)
        while left and count > 0:
            message = consumer.poll(10)
            if message is None:
                raise TimeoutError(f"nothing from {topic} for ten seconds")
            if message.error():
                if message.error().name() != "_PARTITION_EOF":
                    raise RuntimeError(message.error().str())
                left.discard(message.partition())
                continue
            key = message.key().decode()
            if key in ("genesis", "heartbeat") or record_id not in (None, key):
                continue
            headers = {name: value.decode() for name, value in message.headers() or []}
            yield {"partition": message.partition(), "offset": message.offset(), "type": headers["ce_type"], "event": decode(settings["registryUrl"], message.value())}
            count -= 1
    finally:
        consumer.close()


def decode(registry, value):
    """Confluent wire format: a zero byte, the schema id as four bytes, the Avro body."""
    magic, schema_id = struct.unpack(">bI", value[:5])
    if magic != 0:
        raise ValueError("not in Confluent's wire format")
    body = io.BytesIO(value[5:])
    event = fastavro.schemaless_reader(body, schema_of(registry, schema_id))
    if body.read():
        raise ValueError("bytes left over")
    return event


@functools.cache
def schema_of(registry, schema_id):
    with urllib.request.urlopen(f"{registry}/schemas/ids/{schema_id}", timeout=10) as answer:
        return fastavro.parse_schema(json.loads(json.load(answer)["schema"]))


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


if __name__ == "__main__":
    main()
