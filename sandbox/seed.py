"""What the platform holds when it starts: its users and some sixty policies."""

from collections.abc import Callable, Iterator, Mapping

from sqlalchemy import Connection, delete, func, insert, select

from sandbox.api.database import policies, users

ACCOUNTS = (
    {
        "username": "test",
        "role": "analyst",
        "display_name": "Tess Analyst",
        "email": "tess@openpolicy.example",
    },
    {
        "username": "admin",
        "role": "admin",
        "display_name": "Ada Administrator",
        "email": "ada@openpolicy.example",
    },
)
STATUSES = ("active", "active", "active", "draft", "archived")
FIRST_DAY = "2026-0{month}-{day:02}T09:30:00.000+00:00"

# Category, owner, and the subjects that there is a policy for: title, summary.
SUBJECTS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "security",
        "Security Office",
        (
            ("Access Control Policy", "Who gets access to which system, and who reviews it."),
            ("Password Policy", "Length over complexity, and a second factor for everyone."),
            ("Encryption Policy", "What is encrypted at rest and on its way, and with what."),
            ("Incident Response Plan", "Who does what in the first hour of an incident."),
            ("Vulnerability Disclosure", "How others report a weakness to us, and what they hear."),
            ("Remote Access Policy", "Working from elsewhere without leaving a door open."),
            ("Mobile Device Policy", "Phones and tablets that carry the organisation's data."),
            ("Physical Security", "Doors, badges, visitors and cameras."),
            ("Logging and Monitoring", "What is recorded, for how long, and who may read it."),
            ("Supplier Security Policy", "What we ask of those whose software we run."),
        ),
    ),
    (
        "privacy",
        "Data Protection Officer",
        (
            ("Data Protection Policy", "How personal data are collected, used and removed."),
            ("Data Retention Schedule", "How long each kind of record is kept."),
            ("Cookie Policy", "What the web interface stores in a browser, and why."),
            ("Subject Access Requests", "Answering people who ask what is known about them."),
            ("Breach Notification", "Whom to tell within 72 hours."),
            ("Consent Management", "Asking, recording and honouring consent."),
            ("International Transfers", "Sending personal data across borders."),
            ("Children's Data Policy", "What is different when the person is a child."),
            ("Datenschutzrichtlinie", "Wie personenbezogene Daten geschützt werden."),
            ("個人情報 保護 方針", "個人情報 の 取り扱い について 定める。"),
        ),
    ),
    (
        "operations",
        "Platform Team",
        (
            ("Change Management Policy", "How a change reaches production, and how it goes back."),
            ("Deployment Windows", "When releases happen, and when they do not."),
            ("Backup Policy", "What is backed up, where to, and when it was last restored."),
            ("Disaster Recovery Plan", "Serving again from another place within four hours."),
            ("Capacity Planning", "Room for twice the busiest day."),
            ("Service Level Objectives", "What users may rely on, in numbers."),
            ("On-call Policy", "Who answers at three in the morning, and who rests after."),
            ("Asset Management", "Knowing every machine and who it belongs to."),
            ("Post-incident Reviews", "Learning without blame."),
            ("Политика резервного копирования", "Что копируется, куда и как часто."),
        ),
    ),
    (
        "people",
        "People Team",
        (
            ("Code of Conduct", "How we treat each other."),
            ("Leave Policy", "Holidays, illness, and time with a newborn."),
            ("Remote Work Policy", "Where and when we work."),
            ("Equal Opportunity Policy", "Hiring and promoting by merit alone."),
            ("Whistleblower Protection", "Speaking up without fear."),
            ("Training and Development", "Two weeks a year to learn something."),
            ("Travel Policy", "Trains first; what is paid, and how."),
            ("Onboarding Checklist", "The first day, the first week, the first month."),
            ("سياسة العمل عن بعد", "أين ومتى نعمل."),
            ("Πολιτική ίσων ευκαιριών", "Προσλήψεις και προαγωγές με βάση την αξία."),
        ),
    ),
    (
        "finance",
        "Finance",
        (
            ("Expense Policy", "What is reimbursed, and by when."),
            ("Procurement Policy", "Three offers above ten thousand."),
            ("Anti-corruption Policy", "Gifts, hospitality and conflicts of interest."),
            ("Budget Approval", "Who may sign for how much."),
            ("Invoice Handling", "From arrival to payment in thirty days."),
            ("Tax Compliance", "Paying what is due, where it is due."),
            ("Fraud Prevention", "Four eyes on each payment."),
            ("Grant Management", "Spending other people's money as they meant it."),
            ("Política de compras", "Tres ofertas a partir de diez mil."),
            ("Audit Charter", "What internal audit may see, which is everything."),
        ),
    ),
    (
        "environment",
        "Facilities",
        (
            ("Environmental Policy", "What we promise about emissions, waste and water."),
            ("Energy Policy", "Using less, and from better sources."),
            ("Waste and Recycling", "What goes into which bin."),
            ("Sustainable Procurement", "Buying things that last."),
            ("Green Computing", "Idle machines are switched off."),
            ("Water Use", "Measuring first, saving next."),
            ("Business Travel Emissions", "Counting every flight."),
            ("Office Biodiversity", "Roofs that bloom."),
            ("Politique environnementale", "Ce que nous promettons pour le climat."),
            ("环境 政策", "关于 排放 和 废物 的 承诺。"),
        ),
    ),
)
SEEDED = sum(len(subjects) for _, _, subjects in SUBJECTS)

BODY = """{summary}

Purpose. This document says what {owner} asks of everyone in the matter of “{title}”, and why.

Scope. It holds for all employees, contractors and systems of the organisation.

Rules. Ask before you make an exception; write down the ones that were granted; review them \
every year. Whoever notices that the rules are not kept tells {owner}, and is thanked for it.

Review. {owner} reads this text again at least once a year."""


def policies_to_start_with() -> Iterator[dict[str, object]]:
    """Yield the policies."""
    for month, (category, owner, subjects) in enumerate(SUBJECTS, start=1):
        for day, (title, summary) in enumerate(subjects, start=1):
            yield {
                "title": title,
                "summary": summary,
                "body": BODY.format(title=title, summary=summary, owner=owner),
                "category": category,
                "status": STATUSES[(month + day) % len(STATUSES)],
                "owner": owner,
                "version": 1,
                "updated_at": FIRST_DAY.format(month=month, day=day),
            }


def seed(
    connection: Connection, passwords: Mapping[str, str], hash_password: Callable[[str], str]
) -> None:
    """Set the users with this run's passwords, and fill in the policies when there are none."""
    rows = [
        {**account, "password_hash": hash_password(passwords[account["username"]])}
        for account in ACCOUNTS
    ]
    usernames = [account["username"] for account in ACCOUNTS]
    connection.execute(delete(users).where(users.c.username.in_(usernames)))
    connection.execute(insert(users), rows)
    if not connection.execute(select(func.count()).select_from(policies)).scalar_one():
        connection.execute(insert(policies), list(policies_to_start_with()))
