"""What every stack has: a place for its state and a provider, both at the one control plane."""

from __future__ import annotations

from flinkform_constructs import FlinkProvider, StateBackend, cdk
from stacks.setting import Setting


def frame(stack: cdk.TerraformStack, setting: Setting) -> None:
    """Give *stack* its backend and its provider.

    Neither holds a credential: Terraform takes TF_HTTP_USERNAME and TF_HTTP_PASSWORD for the backend and for the
    states of other stacks that this one reads, the provider takes ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET.
    """
    StateBackend.control_plane(setting.endpoint, environment=setting.environment.name).keep(stack)
    FlinkProvider(
        stack,
        region=setting.environment.workspace.get("region"),
        endpoints={"console": setting.endpoint, "ververica": setting.endpoint},
        commit=setting.commit or None,
        release=setting.release or None,
    )
