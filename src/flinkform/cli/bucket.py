"""`flinkform state bucket`: an S3 bucket that is fit for Terraform states."""

from __future__ import annotations

from typing import Any

from flinkform.errors import Denied, FlinkformError, Invalid, Unavailable

_DEFAULT_REGION = "us-east-1"
"""The one region that S3 does not want to be told."""
_BLOCKED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def ensure(name: str, *, region: str) -> bool:
    """Make the bucket *name*, or bring it to what states need: versions, encryption, no public access.

    Returns whether it was made. Safe to repeat; what is in it stays. Key and endpoint come from where AWS' own tools
    take them. Raises Denied, Invalid for a name that S3 does not take, or Unavailable.
    """
    # Imported here: it takes a third of a second, and no other command needs it.
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError  # noqa: PLC0415

    client = boto3.client("s3", region_name=region)
    try:
        made = not _there(client, name)
        if made:
            where = {} if region == _DEFAULT_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            client.create_bucket(Bucket=name, **where)
        _protect(client, name)
    except ParamValidationError:
        raise Invalid(
            f"expected the name of a bucket: 3 to 63 small letters, digits, '.' and '-', got {name!r}"
        ) from None
    except ClientError as error:
        raise _told(name, error.response) from None
    except BotoCoreError as error:
        reason = f"S3 cannot be reached ({type(error).__name__})"
        raise Unavailable(reason, advice="check AWS_ENDPOINT_URL_S3 and AWS_ACCESS_KEY_ID") from None
    return made


def _there(client: Any, name: str) -> bool:
    return any(bucket["Name"] == name for bucket in client.list_buckets().get("Buckets", ()))


def _protect(client: Any, name: str) -> None:
    client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(_BLOCKED, True))
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def _told(name: str, answer: Any) -> FlinkformError:
    """Say what S3 refuses in our words: its own may repeat what it was asked with."""
    code = str(answer.get("Error", {}).get("Code"))
    if code == "BucketAlreadyExists":
        return Invalid(f"the bucket {name} belongs to another account", advice="choose another name")
    if code == "InvalidBucketName":
        return Invalid(f"S3 does not take {name!r} as a bucket's name")
    if answer.get("ResponseMetadata", {}).get("HTTPStatusCode") in (401, 403):
        return Denied(f"S3 refuses this access key ({code})", advice="check AWS_ACCESS_KEY_ID and what it may do")
    return Unavailable(f"S3 answers with {code}")
