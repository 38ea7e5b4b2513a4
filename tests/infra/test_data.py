"""The Data stack: what must not be lost, and how it is kept."""

from __future__ import annotations

from tests.infra.conftest import Synth
from tests.infra.templates import Stacks, text


def test_the_table_is_on_demand_recoverable_and_encrypted_with_the_deployment_s_key(
    default: Stacks,
) -> None:
    table = default.data.one("AWS::DynamoDB::Table")
    assert table["TableName"] == "hatchway-prod"
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert text(table["SSESpecification"]["KMSMasterKeyId"]).startswith("<Key")


def test_the_indexes_are_those_that_the_adapter_reads(default: Stacks) -> None:
    table = default.data.one("AWS::DynamoDB::Table")
    keys = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert keys == {
        "byState": ["gsi1pk", "gsi1sk"],
        "byOwner": ["gsi2pk", "gsi2sk"],
        "byTarget": ["gsi3pk", "gsi3sk"],
    }
    assert all(
        index["Projection"] == {"ProjectionType": "ALL"}
        for index in table["GlobalSecondaryIndexes"]
    )


def test_both_secrets_are_generated_under_the_key_and_stand_in_no_template(
    default: Stacks,
) -> None:
    secrets = default.data.properties("AWS::SecretsManager::Secret")
    assert {secret["Name"] for secret in secrets} == {"hatchway-prod/seal", "hatchway-prod/ticket"}
    for secret in secrets:
        assert "SecretString" not in secret
        assert secret["GenerateSecretString"]["PasswordLength"] >= 44
        assert text(secret["KmsKeyId"]).startswith("<Key")


def test_the_key_rotates(default: Stacks) -> None:
    keys = default.data.properties("AWS::KMS::Key")
    asymmetric = {key["KeySpec"]: key["KeyUsage"] for key in keys if "KeySpec" in key}
    # KMS rotates no asymmetric keys.
    assert asymmetric == {"ECC_NIST_P256": "SIGN_VERIFY", "RSA_2048": "ENCRYPT_DECRYPT"}
    assert all(key["EnableKeyRotation"] is True for key in keys if "KeySpec" not in key)


def test_everything_stays_when_the_stack_is_deleted(default: Stacks) -> None:
    for resource in default.data.template["Resources"].values():
        if not resource["Type"].endswith("Policy"):
            assert resource["DeletionPolicy"] == "Retain"
            assert resource["UpdateReplacePolicy"] == "Retain"
    assert default.data.one("AWS::DynamoDB::Table")["DeletionProtectionEnabled"] is True


def test_a_deployment_to_try_out_can_be_deleted_whole(synth: Synth) -> None:
    stacks = synth(retainData="false")
    table = next(iter(stacks.data.of("AWS::DynamoDB::Table").values()))
    assert table["DeletionPolicy"] == "Delete"
    assert table["Properties"]["DeletionProtectionEnabled"] is False


def test_the_stage_stands_in_every_fixed_name(synth: Synth) -> None:
    stacks = synth(stage="blue")
    for resources in (stacks.data, stacks.service):
        for name, resource in resources.template["Resources"].items():
            for key, value in resource.get("Properties", {}).items():
                fixed = key.endswith("Name") or (key == "Name" and isinstance(value, str))
                if fixed and isinstance(value, str) and "hatchway" in value.lower():
                    assert "blue" in value, (name, key, value)
