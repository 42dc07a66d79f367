"""Azure Container Registry's own API beside `/v2/`: `/acr/v1/`. HTTP in, one service call, HTTP out."""
