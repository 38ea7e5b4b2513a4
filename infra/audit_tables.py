"""The audit trail for Athena: a table over the archive's objects, and a question to begin with.

Partitions are projected from the objects' names: nothing has to find or load them.
"""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from constructs import Construct

from infra.audit import PREFIX
from infra.config import Config

#: The first year that a record can be of.
FIRST = "2026"
_STRUCT = (
    "struct<type:string,principalid:string,arn:string,accountid:string,accesskeyid:string,"
    "username:string,sessioncontext:struct<sessionissuer:struct<type:string,principalid:string,"
    "accountid:string,username:string>>>"
)
#: As AWS's own table for CloudTrail's records has them.
#: https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html
COLUMNS = {
    "eventversion": "string",
    "useridentity": _STRUCT,
    "eventtime": "string",
    "eventsource": "string",
    "eventname": "string",
    "awsregion": "string",
    "sourceipaddress": "string",
    "useragent": "string",
    "errorcode": "string",
    "errormessage": "string",
    "requestparameters": "string",
    "responseelements": "string",
    "additionaleventdata": "string",
    "requestid": "string",
    "eventid": "string",
    "readonly": "string",
    "eventtype": "string",
    "recipientaccountid": "string",
    "vpcendpointid": "string",
}
_SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"
_INPUT = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_QUESTION = """-- Who did what, and who was refused, in the last seven days. A record that was
-- delivered twice counts once: its eventid is the same.
SELECT DISTINCT eventtime, useridentity.arn AS who, eventname, errorcode, sourceipaddress,
       json_extract_scalar(requestparameters, '$.target') AS target,
       json_extract_scalar(requestparameters, '$.sessionId') AS session,
       eventid
FROM {database}.{table}
WHERE hour >= date_format(current_timestamp - interval '7' day, '%Y/%m/%d/%H')
ORDER BY eventtime DESC
LIMIT 1000
"""


class AuditTables(Construct):
    """A Glue database and table of the account's catalogue, and an Athena named query."""

    def __init__(self, scope: Construct, config: Config, bucket_name: str) -> None:
        super().__init__(scope, "AuditTables")
        account = Stack.of(self).account
        # Neither Glue nor Athena's SQL takes a hyphen without quotes.
        name = f"hatchway_{config.stage}".replace("-", "_")
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=name, description=f"Hatchway {config.stage}: what is archived"
            ),
        )
        table = self._table(name, account, f"s3://{bucket_name}/{PREFIX}/")
        table.add_dependency(self.database)
        if config.audit_query:
            athena.CfnNamedQuery(
                self,
                "Query",
                database=name,
                name=config.name("audit"),
                description="Who did what, and who was refused, in the last seven days",
                query_string=_QUESTION.format(database=name, table="audit"),
            ).add_dependency(table)

    def _table(self, database: str, account: str, location: str) -> glue.CfnTable:
        columns = [
            glue.CfnTable.ColumnProperty(name=name, type=kind) for name, kind in COLUMNS.items()
        ]
        return glue.CfnTable(
            self,
            "Table",
            catalog_id=account,
            database_name=database,
            table_input=glue.CfnTable.TableInputProperty(
                name="audit",
                description="API calls, in the format of CloudTrail's records",
                table_type="EXTERNAL_TABLE",
                partition_keys=[glue.CfnTable.ColumnProperty(name="hour", type="string")],
                parameters={
                    "classification": "cloudtrail",
                    "projection.enabled": "true",
                    "projection.hour.type": "date",
                    "projection.hour.format": "yyyy/MM/dd/HH",
                    "projection.hour.range": f"{FIRST}/01/01/00,NOW+1DAYS",
                    "projection.hour.interval": "1",
                    "projection.hour.interval.unit": "HOURS",
                    "storage.location.template": f"{location}${{hour}}/",
                },
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=columns,
                    location=location,
                    input_format=_INPUT,
                    output_format=_OUTPUT,
                    serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=_SERDE),
                ),
            ),
        )
