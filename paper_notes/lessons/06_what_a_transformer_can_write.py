"""Lesson 6: from a handful of seeds to a law: what attention computes, and what that is good for.

Long because a lesson is one notebook, read from top to bottom: what lessons share is in the files beside it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="6. What a transformer can write")

with app.setup:
    import jax.numpy as jnp
    import marimo as mo
    import numpy as np
    from exercises import Exercise, Mistake
    from page import asked, axes, field, fields, picture, sheet, short, table

    from figures.style import INK, MUTED, PALETTE, plain_log
    from scaling.fitting.local_slopes import local_slopes
    from scaling.theory.tokens.bound import smallest_constant
    from scaling.theory.tokens.chain import chain
    from scaling.theory.tokens.composition import Counts, prediction
    from scaling.theory.tokens.sharp import bayes, deeper, likeliest, one_layer
    from simulations.compilation import quick_jit
    from simulations.tokens.divergences import ENDLESS, divergences
    from simulations.tokens.generators import generated
    from simulations.tokens.groups import imbalance
    from simulations.tokens.world import (
        World,
        divergence,
        embeddings,
        latents,
        log_law,
        seed_counts,
    )
    from simulations.transformers.constructed import constructed, slots
    from simulations.transformers.counts import streams_from_counts

    DEPTH = 8


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 6. What a transformer can write

    *About 35 minutes. You need maximum likelihood; attention is explained as we go.*

    **You will learn**

    1. that one attention layer *averages* the examples in its prompt, and each further layer can take one gradient
       step of maximum likelihood;
    2. how far the law it writes is from the truth, in the number of examples, of tokens and of layers;
    3. what that distance costs a classifier trained on what it wrote.

    ## First, a question

    You show a language model $n$ records of a rare class and ask for more. It has never seen the class, but
    its vocabulary of $d = 1024$ tokens carries meaning: each token $j$ has an embedding $u_j \in \mathbb R^4$, and the class draws
    tokens with probability $P_\eta(j) \propto e^{\langle\eta, u_j\rangle}$. The latent $\eta$ *is* the class, and the model must find it from
    the prompt. Take the simplest model: one layer of attention. You may show as many records as you like.
    """)
    return


@app.cell
def _():
    world = World(1024, 4)
    sizes = [30, 100, 300, 1000, 10_000, ENDLESS]
    runs = divergences(world, sizes, 4, 1.0, 60, likeliest=True)
    # Of one layer the library knows a control variate with an exact mean: it takes most of the noise off.
    _values = runs.layers.copy()
    _values[:, :, 0] -= runs.controls[:, :, 1]
    averages = _values.mean(axis=0)
    spread = _values.std(axis=0, ddof=1) / len(_values) ** 0.5
    return averages, runs, sizes, spread, world


@app.cell(hide_code=True)
def _(averages, sizes):
    _ends = averages[sizes.index(10_000), 0] / averages[-1, 0]
    _left = "It stops at a distance" if _ends < 2.0 else "It goes to zero like 1/n"
    guess = Exercise(
        r"What happens to the Kullback-Leibler divergence of the one-layer model's law from the truth as $n$ grows without end?",
        _left,
        f"It stops at {averages[-1, 0]:.4f} nats: averaging is not maximum likelihood. With a *larger vocabulary* that floor falls, like $1/d$.",
        options=("It goes to zero like 1/n", "It goes to zero like 1/√n", "It stops at a distance"),
        mistakes=(
            Mistake(
                "It goes to zero like 1/n",
                "So it would for maximum likelihood. Is a mean of embeddings the maximum?",
            ),
            Mistake(
                "It goes to zero like 1/√n",
                "That is a published upper bound's shape. Bounds need not be sharp.",
            ),
        ),
    )
    guessed = field(guess)
    return guess, guessed


@app.cell(hide_code=True)
def _(guess, guessed):
    asked("Predict first", guess, guessed)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## A transformer with its weights written out

    An attention head looks at all positions $s$ before it with weights $a_s \propto e^{\langle q, k_s\rangle}$, summing to 1, and reads
    $\sum_s a_s v_s$; query $q$, keys $k_s$ and values $v_s$ are linear in what stands at the positions. The records in the prompt are the **seeds**.

    - *Head one*: equal scores on all seeds, values $u$. It reads the **mean seed embedding** $\bar u$.
    - *Head two*: query $h$, keys $u_j$ on the vocabulary. The softmax *is* $P_h$, so it reads $E_{P_h} u$.

    The mean log-likelihood of the seeds under $P_h$ has in $h$ the gradient $\bar u - E_{P_h}u$. So layer 1 writes $h = \bar u$, and each later layer

    $$h \leftarrow h + \tau\,(\bar u - E_{P_h} u):$$

    a gradient step of size $\tau$, *in context*, with fixed weights. Below is that transformer, as matrices, run by the library.
    The tokens lie in the plane here ($d = 64$ tokens, $r = 2$ dimensions); dots are large where the class is likely.

    **Move the sliders**: seeds are the records in the prompt, layers the gradient steps. What do more seeds mend, what more layers?
    """)
    return


@app.cell
def _():
    seeds = mo.ui.slider(
        steps=[1, 3, 10, 100, 1000, 100_000], value=100, show_value=True, label="seeds n"
    )
    layers = mo.ui.slider(1, DEPTH, value=3, show_value=True, label="layers")
    mo.vstack([seeds, layers])
    return layers, seeds


@app.cell
def _():
    plane = World(64, 2)
    points = embeddings(plane, 0)
    eta = latents(plane)[0]
    truth = log_law(jnp.asarray(points), jnp.asarray(eta))
    weights = constructed(points, layers=DEPTH)
    stream = quick_jit(streams_from_counts)

    def path(n: int) -> np.ndarray:
        """The latent (layers, 2) in the transformer's stream after each layer, for n seeds."""
        counts = seed_counts(np.exp(truth), [n], 0, ["lesson"])[0].astype(float)
        return np.asarray(stream(weights, counts))[1:, slots(2).latent]

    return eta, path, plane, points, truth


@app.cell(hide_code=True)
def _(eta, layers, path, points, seeds, truth):
    _h = path(seeds.value)[: layers.value]
    _gap = float(divergence(truth, log_law(jnp.asarray(points), jnp.asarray(_h[-1]))))
    _figures, (_axes,) = axes(4.2, 3.6)
    _axes.scatter(
        *points.T,
        s=1500 * np.exp(np.asarray(truth)),
        color=PALETTE[0],
        alpha=0.35,
        label="tokens, by probability",
    )
    _axes.plot(*_h.T, "-o", color=PALETTE[1], label="h after each layer")
    _axes.plot(*eta, "*", color=INK, markersize=14, label="η, the truth")
    _axes.set(xlabel="first coordinate", ylabel="second coordinate", aspect="equal")
    _axes.legend(loc="lower left", bbox_to_anchor=(-0.1, 1), ncols=2)
    picture(
        _figures,
        f"Tokens in the plane, the latent and the transformer's estimate, which comes to {np.linalg.norm(_h[-1] - eta):.2f} from it after {layers.value} layers.",
        f"Seeds: {seeds.value:,}, layers: {layers.value}. $h$ is {np.linalg.norm(_h[-1] - eta):.3f} from $\\eta$, the law's divergence from the truth {short(_gap)} nats."
        " *With one seed, add layers and watch what happens.*",
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## How good is the law?

    For Gaussian embeddings of dimension $r$ and a latent of length $B$, on average over vocabularies and seeds, the library knows the
    answer sharply:

    $$E\,\mathrm{KL} = \frac{e^{B^2}(r + B^2)}{2d} + \frac{r}{2n} + \dots$$

    for one layer: the first term because averaging is not maximum likelihood, the second for sampling. Each further layer with step $\tau < 1$ multiplies the first term by $(1-\tau)^2$; the second stays, since
    even maximum likelihood pays it.
    """)
    return


@app.cell(hide_code=True)
def _(averages, sizes, spread, world):
    _n = np.array(sizes[:-1], float)
    _dense = np.geomspace(_n[0], _n[-1], 60)
    _figures, (_axes,) = axes()
    _one = [one_layer(world.dim, world.norm, world.vocabulary, n).second for n in _dense]
    _axes.plot(_dense, _one, color=PALETTE[1], label="one layer, by the law above")
    _axes.plot(
        _dense,
        [likeliest(world.dim, n) for n in _dense],
        color=PALETTE[0],
        label="r/(2n), four layers",
    )
    for _layer, _tone, _mark in ((0, PALETTE[1], "o"), (3, PALETTE[0], "s")):
        _axes.errorbar(_n, averages[:-1, _layer], 2 * spread[:-1, _layer], fmt=_mark, color=_tone)
    _axes.axhline(
        one_layer(world.dim, world.norm, world.vocabulary).second, color=MUTED, linestyle=":"
    )
    plain_log(_axes, "x")
    plain_log(_axes, "y")
    _axes.set(xlabel="seeds n", ylabel="mean divergence (nats)")
    _axes.legend(loc="upper right")
    _bound = smallest_constant(averages[:-1, 0], np.full(len(_n), world.vocabulary), _n)
    picture(
        _figures,
        "Mean divergence against seeds: one layer stops at a floor, four layers follow r over 2n.",
        f"Here $d = 1024$, $r = 4$, $B = 1$. Circles: one layer; squares: four layers with step 1; lines: theory; dotted: one layer with endless seeds; ±2 standard errors of 60 draws. At 10,000 seeds: {short(averages[4, 0])} and {short(averages[4, 3])}."
        f" The published rate $C(1/\\sqrt d + \\log d/\\sqrt n)$ holds as an inequality with $C = {_bound.constant:.2f}$, with room: up to {_bound.slack.max():.1f} times here.",
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What does a classifier pay?

    Lesson 2 with tokens: 2,000 majority rows, 200 minority rows, 1,800 rows written from the generator's law $Q$; the floor is the
    balanced excess risk that stays however many rows there are. A wrong law moves the training gradient by a vector $b$, the **pull**,
    whose length is at most a constant times the total variation between law and truth; total variation is at most
    $\sqrt{\mathrm{KL}/2}$ (Pinsker), and the floor is quadratic in the pull. So **the floor is of the order of KL**, not of its root.
    """)
    return


@app.cell
def _(plane, points):
    groups = imbalance(points, latents(plane))
    both, rare = groups.laws, latents(plane)[1]
    rows_of = Counts(2000, 200, 1800)

    def link(n: int, depth: int):
        """The chain from divergence to floor for the transformer's law after n seeds of the minority."""
        counts = seed_counts(both[1], [n], 0, ["lesson", "minority"])
        log_q, _ = generated("transformer", points, counts, rare, depth=depth)
        law, seen = np.exp(log_q[0]), groups.points
        return chain(seen, both, law, rows_of, prediction(seen, both, law, groups.best, rows_of))

    chains = {(n, depth): link(n, depth) for n in (30, 100, 1000, 10_000) for depth in (1, 4)}
    return (chains,)


@app.cell(hide_code=True)
def _(chains):
    table(
        ["seeds, layers", "KL", "pull |b|", "its bound", "floor", "floor / KL"],
        [
            [
                f"{n:,}, {depth}",
                f"{short(c.divergence)}",
                f"{c.bias:.4f}",
                f"{c.links[2].bound:.4f}",
                f"{short(c.floor)}",
                f"{c.floor / c.divergence:.3f}",
            ]
            for (n, depth), c in chains.items()
        ],
        "Exact sums over 64 tokens; *one* draw of seeds in each row, so that few seeds can be lucky. KL moves over orders of magnitude, floor / KL far less.",
    )
    return


@app.cell(hide_code=True)
def _(chains, plane, world):
    _law = one_layer(world.dim, world.norm, world.vocabulary)
    _equal = world.dim / (2 * _law.embedding)
    _three = deeper(world.dim, world.norm, world.vocabulary, 3, 0.5)
    _d = np.array([4096.0, 8192.0])
    _kl = np.array([one_layer(world.dim, world.norm, d).leading for d in _d])
    _slope = float(local_slopes(_d, _kl, 1e-6 * _kl).value[0])
    _lone = divergences(plane, [1], DEPTH, 1.0, 60).layers[:, 0].mean(axis=0)
    _effect = "It makes the law worse" if _lone[-1] > _lone[0] else "It helps"
    _plain, _deep = chains[10_000, 1], chains[10_000, 4]
    exercises = (
        Exercise(
            r"One layer, $d = 1024$, $r = 4$, $B = 1$, endless seeds: what is the leading term of the mean divergence?",
            float(_law.embedding),
            r"$e\,(4 + 1)/2048$: averaging would need an endless vocabulary to be maximum likelihood.",
            mistakes=(
                Mistake(
                    float(4 / 2048),
                    r"That is $r/(2d)$; the factor $e^{B^2}$ and $B^2$ are missing.",
                ),
            ),
            hint=r"The first term of the law: $e^{B^2}(r + B^2)/(2d)$.",
        ),
        Exercise(
            "From how many seeds on is that term larger than the sampling term, $r/(2n)$?",
            float(_equal),
            r"$r/(2n)$ equals it at $n = r d/(e^{B^2}(r + B^2))$: a few hundred seeds, and then more seeds are wasted on one layer.",
            hint="Set $r/(2n)$ equal to your last answer and solve for $n$.",
        ),
        Exercise(
            r"Three further layers with step $\tau = 1/2$. By which factor is the first term smaller than after one layer?",
            float(_law.embedding / _three),
            r"$(1 - \tau)^{-2\cdot3} = 2^6$. Depth pays exponentially, until sampling is all there is.",
            mistakes=(
                Mistake(8.0, "The *error of h* shrinks by 8; a divergence is quadratic in it."),
                Mistake(1 / 64, "By the inverse of that."),
            ),
            hint=r"Each layer multiplies by $(1-\tau)^2$.",
        ),
        Exercise(
            r"The published upper bound falls like $d^{-1/2}$ at endless seeds. With which exponent does the *divergence* fall in $d$?",
            _slope,
            "The bound holds and is loose. Had a simulation of this model given 1/2, that would be a bug, not a confirmation.",
            mistakes=(
                Mistake(0.5, "That is the bound's exponent; an upper bound may be far above."),
            ),
            hint=r"How does the sharp law depend on $d$?",
        ),
        Exercise(
            "One seed only, in the plane of the first picture. What does adding layers do to the law, on average over seeds and embeddings?",
            _effect,
            f"The mean divergence goes from {_lone[0]:.2f} nats with one layer to {_lone[-1]:.2f} with {DEPTH}: the likelihood of one token wants a law"
            " centred on that token, and where no token lies beyond it there is no maximum at all. Few examples want a prior (Bayes), not depth.",
            options=("It helps", "It makes the law worse", "Nothing"),
            hint="Put the first slider to 1 and move the second: whom does $h$ approach?",
        ),
        Exercise(
            "The best any reader can do with *no* seed, if latents are normal with mean squared length 1 in four dimensions: its mean divergence?",
            bayes(4, 1.0, 0),
            r"$\frac r2\log(1 + B^2/r) = 2\log\frac54$: a finite number, where maximum likelihood has none.",
            hint=r"`bayes` in `scaling.theory.tokens.sharp`: $\frac r2 \log(1 + v)$ with $v = 1/(n + r/B^2)$.",
        ),
        Exercise(
            "In the last table, at 10,000 seeds: how many times smaller is the floor with four layers than with one?",
            float(_plain.floor / _deep.floor),
            f"KL is {_plain.divergence / _deep.divergence:.0f} times smaller; the floor follows it.",
            hint="Divide two numbers of the column *floor*.",
            tolerance=0.05,
        ),
    )
    answers = fields(exercises)
    return answers, exercises


@app.cell(hide_code=True)
def _(answers, exercises):
    sheet(exercises, answers)
    return


@app.cell(hide_code=True)
def _(runs):
    _failed = int(runs.failures().sum())
    mo.md(f"""
    ## Summary

    - Attention averages; layers are gradient steps; depth ends at maximum likelihood ({_failed} of the draws above had none).
    - Divergence: a term in the vocabulary that depth removes, and $r/(2n)$ that only a prior can lower.
    - A floor of the order of the divergence is what a classifier pays.

    **Further reading.** [transformers.md](../transformers.md) has the laws and the chain;
    [transformers_built.md](../transformers_built.md) the weights, the proof, and what a *trained* transformer does better. Next:
    [lesson 7](07_verify_your_own_theorem.py).
    """)
    return


if __name__ == "__main__":
    app.run()
