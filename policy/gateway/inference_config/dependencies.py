"""Who installs the Python packages: Azure ML with the image's Conda, or the image, which then needs none."""

from collections.abc import Mapping
from typing import Any

from policy.gateway.inference_config.interpret import InferenceConfig
from policy.gateway.inference_config.remarks import Remark, warn

MEMBER = "environment.python.userManagedDependencies"


def remarks_on(config: InferenceConfig, facts: Mapping[str, Any]) -> tuple[Remark, ...]:
    """A remark on an image that was looked at and has no Conda; `facts` are those of a check's result."""
    if facts.get("conda") is not None or facts.get("os") is None:
        return ()
    if config.user_managed:
        return (warn(f"the image has no Conda, which Azure ML allows as {MEMBER} is true; the policy asks for one"),)
    needed = "Azure ML would install the packages with it and fail late"
    return (
        warn(
            f"the image has no Conda: {needed}: take an image with Conda, or set {MEMBER} to true "
            "and have the image bring every package"
        ),
    )
