"""`python -m deployment_gate.environment` writes the editors' schema beside the files."""

import json
import sys
from pathlib import Path

from deployment_gate.environment.schema import environment_schema

FILE = Path("environments/environment.schema.json")


def main() -> None:
    """Write the schema to the file named on the command line, or to its usual place."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    file.write_text(json.dumps(environment_schema(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
