"""What tests of the official SDKs import under other names, depending on the release that is installed."""

# mypy: disable-error-code="import-not-found,no-redef,import-untyped"

from __future__ import annotations

import os

try:
    from alibabacloud_tea_openapi.exceptions import ClientException
    from alibabacloud_tea_openapi.utils_models import Config
    from darabonba.runtime import RuntimeOptions
except ImportError:  # releases until 2025
    from alibabacloud_tea_openapi.models import Config
    from alibabacloud_tea_util.models import RuntimeOptions
    from Tea.exceptions import TeaException as ClientException

OLDER = os.environ.get("FLINKFORM_SDK", "")
"""Which release it is, if it is not the newest."""

__all__ = ["OLDER", "ClientException", "Config", "RuntimeOptions"]
