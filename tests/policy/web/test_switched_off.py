"""`web.enabled: false`: there are no pages, and nothing says that there could be."""

from pathlib import Path

from tests.policy.live import live_gateway


def test_no_row_is_left(tmp_path: Path) -> None:
    """Each path is 404 as any other that is not there; the API is as before."""
    with live_gateway(tmp_path / "data", web={"enabled": False}) as gateway, gateway.client("admin") as client:
        assert [row for row in gateway.registry.app.table if row.operation.startswith("web.")] == []
        paths = ("/", "/index.json", "/r/team/app", "/sign-in", "/basegate.css", "/gc")
        assert {client.get(path).status_code for path in paths} == {404}
        assert client.get("/").json()["errors"][0]["code"] == client.get("/nowhere").json()["errors"][0]["code"]
        assert client.get("/v2/").status_code == 200
