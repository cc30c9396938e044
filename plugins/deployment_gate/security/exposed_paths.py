"""The paths at which nothing must lie in the open, each with what proves that something does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.proofs import (
    ACTUATOR_VALUES,
    DATABASES,
    EXPVAR,
    NGINX_STATUS,
    PPROF,
    PRIVATE_KEY,
    PROMETHEUS,
    WERKZEUG,
    PartProof,
    Proof,
    begins,
    debugs,
    describes_an_api,
    document,
    is_actuator,
    is_backup,
    is_environment_file,
    is_listing,
    is_source_of_a_page,
    page,
    text,
)
from deployment_gate.security.rules import Rule

REPOSITORY = Rule(
    id="repository-exposed",
    severity=FindingSeverity.CRITICAL,
    title="The repository of the sources can be read by anybody",
    source="OWASP ASVS 5.0, 13.4.1",
    remedy="Leave .git, .svn and .hg out of what is deployed, and have the server refuse paths "
    "that begin with a dot. Whatever secrets the history holds are known now: renew them.",
)
ENVIRONMENT_FILE = Rule(
    id="environment-file-exposed",
    severity=FindingSeverity.CRITICAL,
    title="A file with the application's settings and secrets can be read by anybody",
    source="OWASP ASVS 5.0, 13.4.1; OWASP WSTG, WSTG-CONF-04",
    remedy="Take it out of the folder that is served, have the server refuse paths that begin "
    "with a dot, and renew every secret in it.",
)
SECRET_FILE = Rule(
    id="secret-file-exposed",
    severity=FindingSeverity.CRITICAL,
    title="A file with keys or passwords can be read by anybody",
    source="OWASP ASVS 5.0, 13.3.1; OWASP WSTG, WSTG-CONF-04",
    remedy="Take it out of the folder that is served, and renew every key and password in it.",
)
CONFIGURATION = Rule(
    id="configuration-exposed",
    severity=FindingSeverity.HIGH,
    title="A file that says how the platform is put together can be read by anybody",
    source="OWASP WSTG, WSTG-CONF-04",
    remedy="Take it out of the folder that is served, and renew the passwords in it.",
)
BACKUP = Rule(
    id="backup-exposed",
    severity=FindingSeverity.HIGH,
    title="A backup or a dump of data can be read by anybody",
    source="OWASP ASVS 5.0, 13.4.7; OWASP WSTG, WSTG-CONF-04",
    remedy="Take it out of the folder that is served, and look in the server's log for who has "
    "fetched it. Have the server serve only the kinds of files that the application has.",
)
DEBUGGING = Rule(
    id="debugging-open",
    severity=FindingSeverity.HIGH,
    title="A page for developers or operators is open to anybody",
    source="OWASP ASVS 5.0, 13.4.2",
    remedy="Switch the application's debug mode off, and let only the operators' network reach "
    "such pages.",
)
METRICS = Rule(
    id="metrics-open",
    severity=FindingSeverity.MEDIUM,
    title="Metrics are open to anybody",
    source="OWASP ASVS 5.0, 13.4.5",
    remedy="Let only the monitoring reach them. If anybody may see them, name their path in "
    "`security: {public: [...]}`.",
)
DESCRIPTION = Rule(
    id="api-description-open",
    severity=FindingSeverity.MEDIUM,
    title="The API's description or documentation is open to anybody",
    source="OWASP ASVS 5.0, 13.4.5",
    remedy="Switch it off in this environment, or ask who reads it to sign in. If anybody may see "
    "it, name its path in `security: {public: [...]}`.",
)
LISTING = Rule(
    id="directory-listed",
    severity=FindingSeverity.MEDIUM,
    title="The server lists the files of a folder",
    source="OWASP ASVS 5.0, 13.4.3",
    remedy="Switch listings off: `autoindex off` in nginx, `Options -Indexes` in Apache. If "
    "anybody may see it, name its path in `security: {public: [...]}`.",
)
PROJECT_FILE = Rule(
    id="project-file-exposed",
    severity=FindingSeverity.LOW,
    title="A file of the project tells which software the platform is made of",
    source="OWASP ASVS 5.0, 13.4.7; OWASP WSTG, WSTG-CONF-04",
    remedy="Deploy only what is built, not the folder that it was built in.",
)
RULES = (
    REPOSITORY,
    ENVIRONMENT_FILE,
    SECRET_FILE,
    CONFIGURATION,
    BACKUP,
    DEBUGGING,
    METRICS,
    DESCRIPTION,
    LISTING,
    PROJECT_FILE,
)


@dataclass(frozen=True, slots=True)
class Probe:
    """A path, and what proves that something is there.

    Attributes:
        path: What is asked for.
        proof: What its answer must be.
        beginning: The same for a file that may be large, of which only the beginning is read.
    """

    path: str
    proof: Proof | None = None
    beginning: PartProof | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """What must not be there, by one rule.

    Attributes:
        rule: The rule.
        probes: Where it is looked for.
        may_be_public: Whether the environment may say that anybody may see it.
    """

    rule: Rule
    probes: tuple[Probe, ...]
    may_be_public: bool = False


FOLDERS = ("/", "/static/", "/assets/", "/uploads/", "/files/", "/backup/")
"""Folders whose listing is asked for, beside those that pages name."""


REPOSITORIES = Exposure(
    REPOSITORY,
    (
        Probe("/.git/config", text(r"^\[core\]")),
        Probe("/.git/HEAD", text(r"\A(?:ref: refs/|[0-9a-f]{40}\s*\Z)")),
        Probe("/.svn/wc.db", beginning=begins(b"SQLite format 3\x00")),
        Probe("/.hg/requires", text(r"^(?:revlogv1|dotencode|fncache|share-safe)\s*$")),
    ),
)
ENVIRONMENT_FILES = Exposure(
    ENVIRONMENT_FILE,
    tuple(
        Probe(path, is_environment_file)
        for path in ("/.env", "/.env.local", "/.env.production", "/.env.bak")
    ),
)
SECRET_FILES = Exposure(
    SECRET_FILE,
    (
        Probe("/.npmrc", text(r"_auth(?:Token)?\s*=|_password\s*=")),
        Probe("/.aws/credentials", text(r"^\s*aws_(?:access_key_id|secret_access_key)\s*=")),
        Probe("/.git-credentials", text(r"^https?://[^\s:@/]+:[^\s@/]+@")),
        Probe("/.htpasswd", text(r"^[^\s:]+:(?:\$apr1\$|\$2[abxy]\$|\$[56]\$|\{SHA\})")),
        Probe("/.docker/config.json", document("auths")),
        Probe("/.ssh/id_rsa", PRIVATE_KEY),
        Probe("/id_rsa", PRIVATE_KEY),
        Probe("/server.key", PRIVATE_KEY),
        Probe("/privkey.pem", PRIVATE_KEY),
        Probe("/wp-config.php~", text(r"DB_PASSWORD")),
        Probe("/wp-config.php.bak", text(r"DB_PASSWORD")),
    ),
)
CONFIGURATIONS = Exposure(
    CONFIGURATION,
    (
        Probe("/docker-compose.yml", text(r"^services:\s*$")),
        Probe("/appsettings.json", document("ConnectionStrings")),
        Probe("/terraform.tfstate", document("terraform_version", "resources|modules")),
        Probe("/web.config", text(r"<configuration>[\s\S]*<(?:connectionStrings|system\.web)")),
    ),
)
BACKUPS = Exposure(
    BACKUP,
    (
        *(
            Probe(path, beginning=is_backup)
            for path in ("/backup.zip", "/backup.tar.gz", "/backup.sql", "/dump.sql", "/db.sql")
        ),
        Probe("/db.sqlite3", beginning=begins(*DATABASES)),
        Probe("/index.php.bak", beginning=is_source_of_a_page),
        Probe("/index.php~", beginning=is_source_of_a_page),
    ),
)
DEBUG_PAGES = Exposure(
    DEBUGGING,
    (
        Probe("/actuator", is_actuator),
        Probe("/actuator/env", ACTUATOR_VALUES),
        Probe("/actuator/beans", document("contexts|beans")),
        Probe("/env", ACTUATOR_VALUES),
        Probe("/server-status", page(r"<title>Apache Status|Apache Server Status for")),
        Probe("/phpinfo.php", page(r"<title>(?:PHP [\d.]+ - )?phpinfo\(\)|PHP Version </td>")),
        Probe("/info.php", page(r"<title>(?:PHP [\d.]+ - )?phpinfo\(\)|PHP Version </td>")),
        Probe("/debug", debugs),
        Probe("/debug/pprof/", PPROF),
        Probe("/debug/vars", EXPVAR),
        Probe("/console", WERKZEUG),
        Probe("/__debug__/", page(r"djdt|Django Debug Toolbar")),
        Probe("/_profiler", page(r"Symfony Profiler")),
        Probe("/_debugbar/open", page(r"phpdebugbar|Debugbar")),
        Probe("/_ignition/health-check", document("can_execute_commands")),
        Probe("/telescope", page(r"<title>[^<]*Telescope|Telescope\.")),
        Probe("/rails/info/routes", page(r"<title>Routes</title>|Helper.{0,200}HTTP Verb")),
        Probe("/trace.axd", page(r"Application Trace|Requests to this Application")),
        Probe("/elmah.axd", page(r"Error log for <|Error Log for ")),
        Probe("/h2-console", page(r"<title>H2 Console|H2 Console")),
    ),
)
METRICS_PAGES = Exposure(
    METRICS,
    (
        Probe("/metrics", PROMETHEUS),
        Probe("/actuator/prometheus", PROMETHEUS),
        Probe("/actuator/metrics", document("names")),
        Probe("/nginx_status", NGINX_STATUS),
    ),
    may_be_public=True,
)
DESCRIPTIONS = Exposure(
    DESCRIPTION,
    tuple(
        Probe(path, describes_an_api)
        for path in (
            *("/openapi.json", "/openapi.yaml", "/swagger.json", "/api-docs", "/v2/api-docs"),
            *("/v3/api-docs", "/api/openapi.json", "/docs", "/redoc", "/swagger", "/swagger-ui/"),
            *("/swagger-ui/index.html", "/graphql", "/graphiql"),
        )
    ),
    may_be_public=True,
)
PROJECT_FILES = Exposure(
    PROJECT_FILE,
    (
        Probe("/.DS_Store", beginning=begins(b"\x00\x00\x00\x01Bud1")),
        Probe("/package.json", document("name|private", "dependencies|devDependencies|scripts")),
        Probe("/composer.json", document("require")),
        Probe("/Dockerfile", text(r"^FROM \S+")),
    ),
)


def descriptions(path: str | None) -> Exposure:
    """Descriptions of the API, that among them whose path the environment names."""
    known = {probe.path for probe in DESCRIPTIONS.probes}
    named = (Probe(path, describes_an_api),) if path and path not in known else ()
    return replace(DESCRIPTIONS, probes=(*DESCRIPTIONS.probes, *named))


def listings(folders: Iterable[str]) -> Exposure:
    """Listings of folders, which the pages' own scripts and pictures name."""
    return Exposure(
        LISTING,
        tuple(Probe(folder, is_listing) for folder in dict.fromkeys([*FOLDERS, *folders])),
        may_be_public=True,
    )


TOPICS: Mapping[str, tuple[Exposure, ...]] = {
    "repository": (REPOSITORIES, ENVIRONMENT_FILES),
    "secrets": (SECRET_FILES, CONFIGURATIONS),
    "backups": (BACKUPS,),
    "debugging": (DEBUG_PAGES,),
    "metrics": (METRICS_PAGES,),
    "description": (descriptions(None),),
    "project": (PROJECT_FILES,),
}
"""What checks ask about, by the word that they have for it."""
