"""What does InfluxDB answer? Shapes: docs.influxdata.com/influxdb/v2/reference/syntax/annotated-csv/"""

import pytest

from rollouts.api.base import parse
from rollouts.api.providers import InfluxdbMetric
from rollouts.expr import Int64
from rollouts.measure.influxdb import Influxdb
from rollouts.ports import MeasurementError, NoData, Reading, SecretRef
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import Told, answered, problems

SPEC = {"query": 'from(bucket: "shop") |> range(start: -5m)'}
HELD = {SecretRef("influxdb"): {"address": "http://influxdb:8086/", "authToken": "token", "org": "our shop"}}
TABLES = b"""\
#datatype,string,long,dateTime:RFC3339,double,string\r
#group,false,false,false,false,true\r
#default,_result,,,,\r
,result,table,_time,_value,host\r
,,0,2026-03-01T11:59:00Z,0.5,"a,b"\r
,,0,2026-03-01T12:00:00Z,1e7,"a,b"\r
\r
#datatype,string,long,long\r
#group,false,false,false\r
#default,_result,,7\r
,result,table,_value\r
,,1,3\r
,,1,\r
"""


class TestConformance(ProviderConformance):
    provider = Influxdb()
    specs = (parse(InfluxdbMetric, SPEC), parse(InfluxdbMetric, {**SPEC, "profile": "other"}))
    answers = (TABLES,)
    secrets = {"address": "https://influxdb", "authToken": SECRET, "org": "shop"}  # noqa: RUF012 - as the superclass


def test_the_values_of_all_tables_are_one_list() -> None:
    told = Told(Influxdb(), SPEC, [answered(TABLES)], secrets=HELD)
    assert told.outcome == Reading([0.5, 1e7, Int64(3), Int64(7)], "[0.5 1e+07 3 7]")
    assert told.request.url == "http://influxdb:8086/api/v2/query?org=our%20shop"
    assert told.request.headers["Authorization"] == "Token token"
    assert told.json["query"] == SPEC["query"]
    assert "datatype" in told.json["dialect"]["annotations"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "good", "good"),
        ("string", "", ""),
        ("boolean", "true", True),
        ("double", "NaN?", "NaN?"),
        ("double", "", None),
        ("dateTime:RFC3339", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
    ],
)
def test_a_value_keeps_its_type(kind: str, text: str, value: object) -> None:
    body = f"#datatype,string,{kind}\n,result,_value\n,,{text}\n".encode()
    outcome = Told(Influxdb(), SPEC, [answered(body)], secrets=HELD).outcome
    assert isinstance(outcome, Reading)
    assert outcome.result == [value]


@pytest.mark.parametrize("body", [b"", b"\r\n", b"#datatype,string\r\n#default,\r\n,result,_value\r\n"])
def test_no_tables_are_no_data_and_by_default_an_error(body: bytes) -> None:
    outcome = Told(Influxdb(), SPEC, [answered(body)], secrets=HELD).outcome
    assert isinstance(outcome, NoData)
    assert outcome.error == "InfluxDB returned no results for the query"


def test_an_error_in_the_middle_of_an_answer_is_told() -> None:
    body = TABLES + b"\n#datatype,string,string\n#group,true,true\n#default,,\n,error,reference\n,out of memory,897\n"
    with pytest.raises(MeasurementError, match="InfluxDB says: out of memory"):
        Told(Influxdb(), SPEC, [answered(body)], secrets=HELD)


def test_problems_name_the_field() -> None:
    assert set(problems(Influxdb(), {})) == {"query"}
