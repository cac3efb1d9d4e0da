"""A server of PostgreSQL for a moment: its own cluster, with a database and a role for each service."""

import os
import pathlib
import subprocess

from issuer import bundle
from stage import Failed, free_port, until

# Each service that keeps data.
STORES = ("roster", "sampling", "safety-inspection", "notification")


def programs():
    """The folder of the newest programs of the server."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name))
    if not found:
        raise Failed("no server of PostgreSQL is installed: apt-get install postgresql")
    return found[-1]


def database(service):
    """The name of the database and of the role of a service."""
    return f"campus_{service.replace('-', '_')}"


class Cluster:
    """A cluster that can be stopped, killed, copied and started again at the same port."""

    def __init__(self, stage, name="postgres", folder=None, authority=None, **settings):
        self.stage = stage
        self.bin = programs()
        self.home = (folder or stage.folder) / name
        self.data = self.home / "data"
        self.port = free_port()
        self.settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.home,
            "max_connections": 200,
            **settings,
        }
        self.home.mkdir()
        # Whose certificate it shows; without one nothing is encrypted.
        self.encrypted = authority is not None
        self.trusted = self.home / "trusted.crt"
        if self.encrypted:
            bundle(self.trusted, authority)
            self.show(authority)
            self.settings.update(ssl="on", ssl_cert_file=self.home / "server.crt", ssl_key_file=self.home / "server.key")
        self.own(self.home)
        stage.callback(self.leave)

    def show(self, authority, places="IP:127.0.0.1"):
        """Puts a certificate of an authority, for whoever calls the server by these names, where the server reads it."""
        certificate, key = authority.issue("postgres", self.home / "server.crt", self.home / "server.key", places=places)
        key.chmod(0o600)
        self.own(self.home)
        return certificate

    def own(self, path):
        """Gives a path to whoever the server runs as."""
        if os.geteuid() == 0:
            self.stage.run("chown", "-R", "postgres:", path)

    def as_owner(self, *command, **options):
        """Runs a program as somebody who is not root, which the server refuses to be."""
        before = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        return self.stage.run(*before, *command, cwd="/", **options)

    def create(self, log_folder=None):
        """Makes the cluster, with its log elsewhere if so wished; only whoever knows a password comes in by TCP."""
        apart = ()
        if log_folder:
            log_folder.mkdir()
            self.own(log_folder)
            apart = (f"--waldir={log_folder}",)
        self.as_owner(self.bin / "initdb", "-D", self.data, "-U", "postgres", "-A", "scram-sha-256",
                      "--auth-local=trust", "--data-checksums", *apart)
        self.configure()
        if self.encrypted:
            rules = "local all all trust\nlocal replication all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
            (self.data / "pg_hba.conf").write_text(rules, encoding="utf-8")
        return self

    def configure(self):
        """Writes the settings behind those that are there."""
        lines = "".join(f"{key} = '{value}'\n" for key, value in self.settings.items())
        with (self.data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.write(lines)

    def start(self):
        self.as_owner(self.bin / "pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.home / "log", "start")
        return self

    def stop(self, mode="fast"):
        self.as_owner(self.bin / "pg_ctl", "-D", self.data, "-w", "-t", "60", "-m", mode, "stop")

    def reload(self):
        """Has the server read its settings and certificates again."""
        self.as_owner(self.bin / "pg_ctl", "-D", self.data, "reload")

    def leave(self):
        """Ends the server, if it runs, however it stands."""
        try:
            self.as_owner(self.bin / "pg_ctl", "-D", self.data, "-m", "immediate", "-t", "30", "stop", check=False)
        except (Failed, subprocess.TimeoutExpired):
            pass

    def sql(self, text, of="postgres", check=True, timeout=60):
        """The answer of the server, as the administrator, without decoration."""
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.home, "-p", self.port, "-U", "postgres"]
        done = self.stage.run(*command, "-At", "-d", of, "-c", text, check=check, timeout=timeout)
        return done.stdout.strip()

    def prepare(self, service, password):
        """A database of its own for a service, and a role that owns it and nothing else."""
        name = database(service)
        self.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        self.sql(f"CREATE DATABASE {name} OWNER {name}")
        self.sql(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")

    def url(self, service, password, port=None, of=None):
        """How a service reaches its database, or another one."""
        name = database(service)
        asked = f"?sslmode=verify-full&sslrootcert={self.trusted}" if self.encrypted else ""
        return f"postgres://{name}:{password}@127.0.0.1:{port or self.port}/{of or name}{asked}"

    def rows(self, service):
        """Every row of every table of a service: by table how many there are, and a sum of all of them in order."""
        of = database(service)
        tables = self.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", of).splitlines()
        sums = " UNION ALL ".join(
            f"SELECT '{table}', count(*), coalesce(md5(string_agg(h, '' ORDER BY h)), '') "
            f"FROM (SELECT md5(t::text) AS h FROM {table} t) s"
            for table in tables
        )
        return dict(line.split("|", 1) for line in self.sql(sums, of, timeout=600).splitlines())

    def rows_of(self, service, table):
        """Every row of one table of a service, as one sum."""
        return self.sql(f"SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {table} t", database(service))

    def answers(self):
        """Waits until it takes commands again."""
        until("PostgreSQL answers", lambda: self.sql("SELECT 1", check=False) == "1")
