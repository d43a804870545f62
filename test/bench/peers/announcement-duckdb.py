"""DuckDB over the same complaints: reads a CSV of them once, then answers the same three questions; prints seconds and rows as JSON."""
import json
import sys
import time

import duckdb

task = json.load(sys.stdin)
db = duckdb.connect()
text = ["region", "kind", "state"], ["uscc", "trader_name", "entity_type", "publication", "object_kind", "object_class", "issue", "channel"]
columns = {**dict.fromkeys(text[0], "VARCHAR"), "registered_on": "DATE", **dict.fromkeys(text[1], "VARCHAR"), "recovered_fen": "BIGINT", "mediation_outcome": "VARCHAR", "online": "BOOLEAN"}
db.execute(f"CREATE TABLE complaint AS SELECT * FROM read_csv('{task['csv']}', header=true, columns={columns})")
seconds, rows = [], {}
for _ in range(task["rounds"]):
    began = time.perf_counter()
    for name, sql in task["queries"].items():
        found = db.execute(sql)
        columns = [column[0] for column in found.description]
        rows[name] = [dict(zip(columns, row)) for row in found.fetchall()]
    seconds.append(time.perf_counter() - began)
json.dump({"seconds": seconds, "rows": rows, "version": duckdb.__version__}, sys.stdout)
