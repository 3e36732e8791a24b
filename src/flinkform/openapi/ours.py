"""Operations that are not of the public API: the embedded control plane answers them, the public service does not.

Rows are as in `flinkform.openapi.table`; they are signed and enveloped like all others. A client has to bear with
being turned away.
"""

from __future__ import annotations

OPERATIONS = {
    "GetStateVerdict": (
        "ververica",
        "POST",
        "/flinkform/v1/namespaces/{namespace}/deployments/{deploymentId}/state-verdict",
        "",
        "workspace",
        "",
        "Deployment",
        "data:Any",
    ),
}
"""GetStateVerdict takes what UpdateDeployment would be sent, changes nothing, and answers {verdict, summary,
operators: [{name, fate, why}]}."""
