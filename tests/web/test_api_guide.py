"""The commands of docs/api.md work as they stand there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from flask import Flask

from integration.operations.identity import tokens
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services

GUIDE = Path(__file__).parents[2] / "docs" / "api.md"


def test_every_command_of_the_guide_is_answered(app: Flask, services: Services, connector_id: int) -> None:
    connectors.configure(services, connector_id, {"carts.enabled": "yes"})
    token = tokens.make(services, 1, "Till", ["write"], "admin@example.com").secret
    words = {"$BASE": "", "$TOKEN": token, "$CONNECTOR": str(connector_id), "$DELIVERY": "1"}
    statuses = []
    for command in re.findall(r"```sh\n(curl .*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL):
        for name, value in words.items():
            command = command.replace(name, value)
        _, path, *rest = shlex.split(command.replace("\\\n", " "))
        options = list(zip(rest[::2], rest[1::2], strict=True))
        headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
        body = next((value for option, value in options if option == "-d"), None)
        if body is None:
            answer = app.test_client().get(path, headers=headers)
        else:
            answer = app.test_client().post(path, json=json.loads(body), headers=headers)
            assert answer.json["refused"] == 0
        statuses.append(answer.status_code)
    assert statuses == [202, 202, 202, 200]
