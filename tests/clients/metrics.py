"""Reads the metrics of a running server with Prometheus' own parser: metrics.py ADDRESS."""
import sys
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

with urllib.request.urlopen(f"http://{sys.argv[1]}/metrics", timeout=30) as answer:
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text"), answer.headers
    families = {family.name: family for family in text_string_to_metric_families(answer.read().decode())}
for name in ("spondee_sessions", "spondee_stanzas_received", "spondee_handler_calls",
             "spondee_s2s_queue_stanzas", "spondee_storage_write_seconds"):
    assert families[name].samples, name
received = families["spondee_stanzas_received"].samples
assert any(one.labels["stanza"] == "message" and one.value > 0 for one in received), received
print("ok: metrics: Prometheus' parser reads", len(families), "metrics")
