"""Serves an application that this project did not write, sound or with a defect put into it.

Run by the interpreter beside it: .venv/bin/python serve.py NAME FOLDER [DEFECT]. The first line
that it prints is its address.
"""

import asyncio
import base64
import json
import logging
import socket
import sqlite3
import sys
import threading
from importlib import metadata
from pathlib import Path
from urllib.request import Request, urlopen

ROWS = 250
ARTICLES = "/buckets/default/collections/articles/records"
PASSWORDS = {"alice": "a-password-of-alice", "bob": "a-password-of-bob"}


def listen():
    """A socket on a free port of the loopback."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    return listener


def serve_datasette(folder, defect):
    """Datasette (ASGI): a table of orders, searchable."""
    import uvicorn
    from datasette.app import Datasette

    path = folder / "shop.db"
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE orders(id INTEGER PRIMARY KEY, item TEXT, shelf TEXT);"
        'CREATE VIRTUAL TABLE orders_fts USING fts5(item, content="orders", content_rowid=id);'
    )
    database.executemany(
        "INSERT INTO orders(item, shelf) VALUES (?, ?)",
        [(f"book {number} o'clock", "abc"[number % 3]) for number in range(ROWS)],
    )
    database.execute("INSERT INTO orders_fts(orders_fts) VALUES ('rebuild')")
    database.commit()
    database.close()
    app = Datasette([str(path)]).app()
    listener = listen()
    server = uvicorn.Server(uvicorn.Config(ASGI_DEFECTS[defect](app), log_level="error"))
    asyncio.run(server.serve(sockets=[listener]))


def losing_a_row(app):
    """Each page after the first lacks its first row."""

    async def broken(scope, receive, send):
        if b"_next" not in scope.get("query_string", b""):
            await app(scope, receive, send)
            return
        body = b""

        async def keep(message):
            nonlocal body
            if message["type"] == "http.response.start":
                await send(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                page = json.loads(body)
                page["rows"] = page["rows"][1:]
                await send({"type": "http.response.body", "body": json.dumps(page).encode()})

        await app(scope, receive, keep)

    return broken


def serve_wsgi(app):
    """Serve a WSGI application."""
    import waitress

    logging.disable(logging.CRITICAL)
    waitress.serve(app, sockets=[listen()], threads=8)


def serve_openfisca(_folder, defect):
    """OpenFisca (Flask): rules of a country as code, described by OpenAPI 3.0."""
    from openfisca_core.scripts import build_tax_benefit_system
    from openfisca_web_api.app import create_app

    system = build_tax_benefit_system("openfisca_country_template", [], [])
    serve_wsgi(WSGI_DEFECTS[defect](create_app(system, None, None)))


def numbering_links(app):
    """The list of variables names a number where its description says that an address is."""

    def broken(environ, start_response):
        if environ["PATH_INFO"] != "/variables":
            return app(environ, start_response)
        started = []
        variables = json.loads(b"".join(app(environ, lambda *given: started.append(given))))
        for variable in variables.values():
            variable["href"] = 0
        body = json.dumps(variables).encode()
        status, headers = started[0][:2]
        headers = [one for one in headers if one[0].lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return broken


def serve_kinto(folder, defect):
    """Kinto (Pyramid): records that accounts keep, described by Swagger 2.0."""
    import warnings

    warnings.simplefilter("ignore")
    import kinto
    import waitress

    version = folder / "version.json"
    version.write_text(json.dumps({"version": metadata.version("kinto")}))
    settings = {
        f"kinto.{name}": value
        for name, value in {
            "storage_backend": "kinto.core.storage.memory",
            "permission_backend": "kinto.core.permission.memory",
            "cache_backend": "kinto.core.cache.memory",
            "userid_hmac_secret": "not-secret",
            "includes": "kinto.plugins.default_bucket kinto.plugins.accounts",
            "account_create_principals": "system.Everyone",
            "paginate_by": "100",
            "version_json_path": str(version),
        }.items()
    }
    settings |= {
        "multiauth.policies": "account",
        "multiauth.policy.account.use": "kinto.plugins.accounts.AccountsPolicy",
    }
    logging.disable(logging.CRITICAL)
    app = kinto.main({}, **settings)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = threading.Thread(
        target=waitress.serve,
        args=(WSGI_DEFECTS[defect](app),),
        kwargs={"sockets": [listener], "threads": 8},
    )
    server.start()
    for name, password in PASSWORDS.items():
        ask(f"{url}/v1/accounts/{name}", {"password": password}, method="PUT")
    for number in range(8):
        ask(f"{url}/v1{ARTICLES}", {"title": f"Article {number}"}, method="POST", basic="alice")
    print(url, flush=True)
    server.join()


def ask(url, data, *, method, basic=None):
    """Send JSON, as somebody."""
    headers = {"Content-Type": "application/json"}
    if basic:
        credentials = base64.b64encode(f"{basic}:{PASSWORDS[basic]}".encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    body = json.dumps({"data": data}).encode()
    urlopen(Request(url, body, headers, method=method)).read()


def ignoring_versions(app):
    """Whatever version somebody meant to change, the present one is changed."""

    def broken(environ, start_response):
        environ.pop("HTTP_IF_MATCH", None)
        return app(environ, start_response)

    return broken


def sound(app):
    """The application as it is."""
    return app


ASGI_DEFECTS = {"": sound, "losing-a-row": losing_a_row}
WSGI_DEFECTS = {
    "": sound,
    "numbering-links": numbering_links,
    "ignoring-versions": ignoring_versions,
}
APPLICATIONS = {
    "datasette": serve_datasette,
    "openfisca": serve_openfisca,
    "kinto": serve_kinto,
}

if __name__ == "__main__":
    name, folder, *defect = sys.argv[1:]
    APPLICATIONS[name](Path(folder), *(defect or [""]))
