"""The console's lists of regions and zones: this control plane is one zone of one region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flinkform.controlplane.api.call import Call, Handler, Params


def list_regions(call: Call, _params: Params, _body: Any) -> dict[str, Any]:
    """Answer with the region the settings name; requests may name any other, and find nothing there."""
    region = call.services.settings.region
    return {
        "Regions": [{"Region": region, "RegionName": region, "Description": "embedded control plane"}],
        **_pages(1),
    }


def list_zones(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Answer with the one zone of the region that is asked for."""
    return {"ZoneIds": [f"{params.get('Region') or call.services.settings.region}-a"], **_pages(1)}


def _pages(total: int) -> dict[str, int]:
    return {"PageIndex": 1, "PageSize": 10, "TotalCount": total, "TotalPage": 1}


OPERATIONS: Mapping[str, Handler] = {
    "DescribeSupportedRegions": list_regions,
    "DescribeSupportedZones": list_zones,
}
