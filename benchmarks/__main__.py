"""``python -m benchmarks``: how long synthlaw takes, beside what a user would write instead.

The reference sweep (dim 10, separation 2, counts 2000/200, 21 ratios from 0 to 2, right law, shifted law
and duplicates) is run to a relative standard error of the balanced excess risk, ours as a whole
process with an empty and with a filled cache of compiled programs; scikit-learn and the fastest
of several NumPy loops are granted exact risks and two perfect cores. Series show what a
replicate costs against rows, features, ratios and workers.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.records import SCHEMA, leave, machine, path_of
from benchmarks.series import FULL, OPTIONAL, PARTS, QUICK

NAME = "engine"


def measure(names: list[str], quick: bool, path: Path) -> dict[str, Any]:
    """Measure the parts; other parts that the file holds already stay."""
    held = json.loads(path.read_text()) if path.is_file() else {}
    parts = dict(held.get("parts", {}))
    for position, name in enumerate(names, 1):
        print(f"[{position}/{len(names)}] {name} ...", file=sys.stderr, flush=True)
        start = time.perf_counter()
        parts[name] = {"quick": quick, **PARTS[name](QUICK if quick else FULL)}
        seconds = time.perf_counter() - start
        print(f"[{position}/{len(names)}] {name}: {seconds:.0f} s", file=sys.stderr, flush=True)
    ordered = {name: parts[name] for name in PARTS if name in parts}
    return {"schema": SCHEMA, **machine("scikit-learn"), "parts": ordered}


def main() -> None:
    from figures.benchmark import draw
    from figures.style import save

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--record", action="store_true", help=f"write {NAME}.json here")
    parser.add_argument("--quick", action="store_true", help="a rough look in a few minutes")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="NAME", help=", ".join(PARTS))
    parser.add_argument("--large", action="store_true", help="ten million augmented rows as well")
    chosen = parser.parse_args()
    names = chosen.only or [name for name in PARTS if name not in OPTIONAL]
    if chosen.large and "large" not in names:
        names.append("large")
    path = path_of(NAME, chosen.record)
    result = measure(names, chosen.quick, path)
    leave(result, path)
    drawn = save(draw(result), path.with_suffix(""))
    print(json.dumps({name: result["parts"][name] for name in names}, indent=1))
    print("\n".join(map(str, [path, *drawn])), file=sys.stderr)


if __name__ == "__main__":
    main()
