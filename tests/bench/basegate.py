"""How the bench starts basegate itself, and the list of all servers."""

from tests.bench.servers import GoRegistry, Server

SERVERS: tuple[Server, ...] = (
    GoRegistry("distribution", "registry"),
    GoRegistry("docker-registry", "docker-registry"),
)
