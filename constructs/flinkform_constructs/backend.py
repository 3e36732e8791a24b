"""Where the states of stacks are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from flinkform_constructs._cdk import cdk


@dataclass(frozen=True, slots=True)
class StateBackend:
    """One place for the states of many stacks; `keep(stack)` gives a stack its own address in it.

    The address carries the environment and the stack, so that two environments never meet. No credential is written:
    Terraform takes them from the environment when it runs, and so do stacks that read another one's state.
    """

    _keep: Callable[[cdk.TerraformStack], Any]

    def keep(self, stack: cdk.TerraformStack) -> None:
        """Have the state of *stack* kept here."""
        self._keep(stack)

    @classmethod
    def control_plane(cls, endpoint: str, *, environment: str) -> Self:
        """The embedded control plane's own store, with locks and versions (`flinkform state list`).

        Terraform takes TF_HTTP_USERNAME and TF_HTTP_PASSWORD; `flinkform env` prints both.
        """

        def keep(stack: cdk.TerraformStack) -> None:
            address = f"{endpoint.rstrip('/')}/state/{environment}/{stack.node.id}"
            cdk.HttpBackend(
                stack,
                address=address,
                lock_address=address,
                lock_method="LOCK",
                unlock_address=address,
                unlock_method="UNLOCK",
            )

        return cls(keep)

    @classmethod
    def s3(cls, bucket: str, *, environment: str, region: str, prefix: str = "flinkform") -> Self:
        """An S3 bucket, locked by a file in it (Terraform 1.10 and newer); `flinkform state bucket` makes a fit one."""

        def keep(stack: cdk.TerraformStack) -> None:
            key = f"{prefix}/{environment}/{stack.node.id}.tfstate"
            cdk.S3Backend(stack, bucket=bucket, key=key, region=region, encrypt=True)
            # The CDK's own argument for locks names a table of another service.
            stack.add_override("terraform.backend.s3.use_lockfile", True)

        return cls(keep)
