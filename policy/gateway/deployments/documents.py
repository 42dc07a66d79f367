"""Deployments and workspaces as JSON for callers."""

from typing import Any

from policy.deployments.record import Deployment
from policy.deployments.workspaces import Workspace
from registry.oci.timestamp import timestamp


def deployment_document(deployment: Deployment, *, receipt: bool = False) -> dict[str, Any]:
    """A deployment, times in RFC 3339; its receipt when that is wanted."""
    wanted = deployment.wanted
    return {
        "id": deployment.id,
        "name": wanted.name,
        "state": deployment.state,
        "models": list(wanted.models),
        "workspace": wanted.workspace,
        "computeType": wanted.compute_type,
        "computeTarget": wanted.compute_target or None,
        "profile": wanted.profile,
        "registryKind": wanted.registry_kind,
        "image": wanted.image,
        "pinned": wanted.pinned,
        "digest": wanted.digest,
        "configuration": wanted.configuration,
        "verdict": deployment.verdict,
        "policy": dict(deployment.policy),
        "recorded": timestamp(deployment.recorded),
        "recordedBy": deployment.recorded_by_name,
        "receiptEnds": timestamp(deployment.ends),
        "released": None if deployment.released is None else timestamp(deployment.released),
        "releasedBy": deployment.released_by or None,
        **({"receipt": deployment.receipt} if receipt else {}),
    }


def workspace_document(workspace: Workspace) -> dict[str, Any]:
    """A workspace; `containerRegistry` is null until its first deployment is recorded."""
    return {
        "id": workspace.id,
        "name": workspace.name,
        "subscription": workspace.subscription,
        "resourceGroup": workspace.resource_group,
        "workspaceId": workspace.workspace_id,
        "containerRegistry": workspace.container_registry,
        "created": timestamp(workspace.created) if workspace.created else None,
        "createdBy": workspace.created_by or None,
    }
