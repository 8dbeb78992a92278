"""Client of language model servers: discovery, requests, streams."""
