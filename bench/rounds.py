"""Measurements in turn, and what follows from them.

What a request costs changes from second to second where others share the machine, by a quarter and more. So the
contenders take turns in short bursts, in an order of chance, and a ratio is one of sums over all of them. How far chance
may have moved it is told by drawing the rounds again (bootstrap): nine of ten drawings lie between the two figures.
"""

import random
import statistics

DRAWINGS = 1000


def interleaved(proxies, rounds, measure):
    """measure(proxy) for each proxy in turn, `rounds` times: {name: [what it returned]}."""
    results = {proxy.name: [] for proxy in proxies}
    order = list(proxies)
    for _ in range(rounds):
        random.shuffle(order)
        for proxy in order:
            results[proxy.name].append(measure(proxy))
    return results


def median(results, name, key):
    return statistics.median(run[key] for run in results[name])


def ratio(results, name, base="nginx", key="us"):
    return sum(run[key] for run in results[name]) / sum(run[key] for run in results[base])


def bounds(results, name, base="nginx", key="us"):
    """The ratio's 5th and 95th percentile among drawings of the rounds."""
    pairs = [(mine[key], theirs[key]) for mine, theirs in zip(results[name], results[base])]
    drawn = []
    for _ in range(DRAWINGS):
        mine, theirs = map(sum, zip(*random.choices(pairs, k=len(pairs))))
        drawn.append(mine / theirs)
    drawn.sort()
    return drawn[DRAWINGS // 20], drawn[-DRAWINGS // 20]


def share(results, name, base="nginx"):
    """A cell of a table: "**0.74** (0.72–0.76)"."""
    low, high = bounds(results, name, base)
    return f"**{ratio(results, name, base):.2f}** ({low:.2f}–{high:.2f})"


def told(results, unit="µs", lost="failed", digits=2):
    """A line for who watches."""
    return {name: f"{median(results, name, 'us'):.{digits}f} {unit}, {median(results, name, 'rate'):.0f}/s, "
                  f"{lost} {sum(run['failed'] for run in runs)}" for name, runs in results.items()}
