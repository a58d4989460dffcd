"""The mathematics on layouts small enough to check by hand."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from keras import ops

from synthvae.generation.complete import NEVER, block_table, inverse_cdf
from synthvae.networks.layout import Echo, Layout
from synthvae.networks.priors import StandardNormal
from synthvae.networks.questions import CONDITIONED, ORDERED, Questions
from synthvae.networks.vae import VAE, NetworkConfig

SMALL = NetworkConfig(latent_dim=2, encoder_width=8, decoder_width=8, decoder_depth=1)


def layout(sizes: tuple[int, ...] = (3, 4, 5), parents: tuple[int, ...] = (-1, -1, 1)) -> Layout:
    rng = np.random.default_rng(0)
    features = [np.zeros((v, 0), "float32") for v in sizes]
    compatible: list[np.ndarray | None] = [None] * len(sizes)
    for j, parent in enumerate(parents):
        if parent >= 0:
            features[parent] = rng.normal(size=(sizes[parent], 2)).astype("float32")
            features[j] = rng.normal(size=(sizes[parent], sizes[j], 3)).astype("float32")
            compatible[j] = np.ones((sizes[parent], sizes[j]), bool)
    return Layout(sizes, parents, tuple(features), tuple(np.ones(v, bool) for v in sizes), tuple(compatible), plain=1)


def vae(of: Layout | None = None) -> VAE:
    model = VAE(of or layout(), SMALL, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:  # zero biases would hide mistakes
        variable.assign(np.asarray(variable) + rng.normal(size=variable.shape).astype("float32") * 0.1)
    return model


def test_layout_offsets_and_children() -> None:
    of = layout()
    assert of.b == 3
    assert of.v == 12
    assert of.order == (0, 1, 2)
    assert of.offsets.tolist() == [0, 3, 7]
    assert layout(parents=(-1, 0, -1)).offsets.tolist() == [5, 8, 0]
    assert layout(parents=(-1, 0, -1)).refined == (0, 1)
    assert of.children == (-1, 2, -1)
    assert of.numeric == (1, 2)
    assert of.f == 3
    assert of.feature_table.shape == (1 + 4 + 20, 3)
    assert of.feature_offsets.tolist() == [1, 5]


def test_the_first_layer_is_a_sum_over_blocks() -> None:
    """Revealing a cell adds just what recomputing the first layer would."""
    model = vae()
    tokens = np.array([[2, 3, 4], [0, 1, 2]], "int32")
    z = np.zeros((2, 2), "float32")
    known = np.zeros((2, 3), bool)
    stems = model.decoder.stems(tokens, known, z)
    for j in range(3):
        known[:, j] = True
        gained = model.decoder.reveal(j, list(tokens.T), list(known.T))
        stems = [stem + gain for stem, gain in zip(stems, gained, strict=True)]
        for stem, again in zip(stems, model.decoder.stems(tokens, known, z), strict=True):
            np.testing.assert_allclose(stem, again, atol=1e-5)


def alone(model: VAE, j: int, stems: Any, candidates: Any = None) -> np.ndarray:
    """The logits of block j by itself."""
    i = model.decoder.trunk_of(j)
    return ops.convert_to_numpy(model.decoder.block_logits(j, model.decoder.trunks[i](stems[i]), candidates))


@pytest.mark.parametrize(
    "parents", [(-1, -1, 1), (-1, -1, -1), (-1, 0, -1)], ids=["both", "categories", "numbers first"]
)
def test_block_logits_are_a_slice_of_all_logits(parents: tuple[int, ...]) -> None:
    model = vae(layout(parents=parents))
    tokens, known, z = np.ones((5, 3), "int32"), np.eye(5, 3) > 0, np.ones((5, 2), "float32")
    whole = ops.convert_to_numpy(model.decoder(tokens, known, z))
    stems = model.decoder.stems(tokens, known, z)
    for j, (first, size) in enumerate(zip(model.layout.offsets, model.layout.sizes, strict=True)):
        part = alone(model, j, stems)
        np.testing.assert_allclose(part, whole[:, first : first + size], atol=1e-5)


def test_categories_do_not_see_the_detail_of_numbers() -> None:
    model = vae()
    known, z = np.array([[False, True, True]]), np.zeros((1, 2), "float32")
    one, other = (model.decoder.stems(np.array([[0, 2, fine]], "int32"), known, z) for fine in (1, 4))
    a, b = (alone(model, 0, stems) for stems in (one, other))
    np.testing.assert_array_equal(a, b)
    assert (ops.convert_to_numpy(one[1]) != ops.convert_to_numpy(other[1])).any()


def test_unknown_cells_do_not_leak() -> None:
    model = vae()
    known = np.array([[True, False, False]])
    z = np.zeros((1, 2), "float32")
    a = model.decoder(np.array([[1, 0, 0]], "int32"), known, z)
    b = model.decoder(np.array([[1, 3, 4]], "int32"), known, z)
    np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))


def test_a_child_is_never_known_before_its_parent() -> None:
    model = vae()
    rng = np.random.default_rng(3)
    known = ops.convert_to_numpy(
        model.questions.any_order(rng.random((500, 3), "float32"), rng.random((500, 1), "float32"))
    )
    assert not (known[:, 2] & ~known[:, 1]).any()
    assert np.unique(known.sum(axis=1)).tolist() == [0, 1, 2, 3]


def test_the_encoder_never_sees_half_a_cell_and_half_of_the_rows_whole() -> None:
    model = vae()
    rng = np.random.default_rng(3)
    seen = ops.convert_to_numpy(model._seen(rng.random((4000, 3), "float32"), rng.random((4000, 1), "float32")))
    assert (seen[:, 1] == seen[:, 2]).all()
    # of the other half a row of two cells is whole with the mean of (1 - share) ** 2, a third
    assert seen.all(axis=1).mean() == pytest.approx(0.5 + 0.5 / 3, abs=0.03)


def test_nats_are_an_unbiased_order_average() -> None:
    """The random-mask estimate agrees with the sum over all orders in which parents come first."""
    model = vae()
    tokens = np.array([[1, 2, 3]], "int32")
    z = np.array([[0.3, -0.2]], "float32")
    orders = [o for o in itertools.permutations(range(3)) if o.index(1) < o.index(2)]
    # a uniformly random order with parent and child swapped where needed gives every legal order the same weight
    exact = np.mean([_order_nats(model, tokens, z, order) for order in orders])
    n = 20000
    rng = np.random.default_rng(4)
    many = np.repeat(tokens, n, axis=0)
    known = model.questions.any_order(rng.random((n, 3), "float32"), rng.random((n, 1), "float32"))
    nats = model.nats(many, known, model.decoder(many, known, np.repeat(z, n, axis=0)))
    estimate = ops.convert_to_numpy(model.questions.weights(known) * nats)
    assert estimate.sum(axis=1).mean() == pytest.approx(exact, rel=0.02)


def test_most_rows_are_told_in_order_and_some_of_them_other_cells_besides() -> None:
    questions, rng = vae(layout((3, 4, 5, 2), (-1, -1, 1, -1))).questions, np.random.default_rng(0)
    n = 40_000
    known, weights = map(
        ops.convert_to_numpy, questions.ask(rng.random((n, 4), "float32"), rng.random((n, 1), "float32"))
    )
    prefix = (np.diff(known.astype(int), axis=1) <= 0).all(axis=1)
    free = slice(int(n * ORDERED * CONDITIONED), int(n * ORDERED))
    assert prefix[free].all()
    np.testing.assert_allclose(np.bincount(known[free].sum(axis=1)) / known[free].shape[0], 0.2, atol=0.01)
    assert 0.2 < 1 - prefix[: free.start].mean() < 0.9
    assert (known[: free.start, 1] >= known[: free.start, 2]).all()
    assert (weights[known] == 0).all()


def test_a_latent_that_is_to_carry_more_tells_rows_alone() -> None:
    """No rows at the usual rate, a sixth at twice, half from four times that on; the others are told as before."""
    assert [NetworkConfig(free_nats=nats).alone for nats in (0.0, 4.0, 8.0, 16.0, 99.0)] == [0, 0, 1 / 6, 0.5, 0.5]
    rng = np.random.default_rng(0)
    u, share = rng.random((4000, 3), "float32"), rng.random((4000, 1), "float32")
    for alone in (0.0, 0.5):
        known, weights = map(ops.convert_to_numpy, Questions(layout(), alone).ask(u, share))
        told = round(4000 * (1 - alone))
        assert not known[told:].any()
        assert (weights[told:] == weights[told:][:1]).all()
        assert known[: round(told * ORDERED), 0].mean() > 0.6  # in order the first is known but where none is


def test_what_is_drawn_next_counts_as_much_as_all_that_follows() -> None:
    """Over prefixes the next block alone is an unbiased estimate of the row, and so is what is spread over all
    orders."""
    questions = vae().questions
    known = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]], bool)
    np.testing.assert_array_equal(questions.next(known), [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    spread = ops.convert_to_numpy(questions.weights(known))
    np.testing.assert_allclose(spread, [[4 / 3, 8 / 3, 0], [0, 4, 0], [0, 0, 4], [0, 0, 0]])


def _order_nats(model: VAE, tokens: np.ndarray, z: np.ndarray, order: tuple[int, ...]) -> float:
    known, total = np.zeros((1, 3), bool), 0.0
    for j in order:
        logits = ops.convert_to_numpy(model.decoder(tokens, known, z))[0]
        first = model.layout.offsets[j]
        block = logits[first : first + model.layout.sizes[j]]
        total += float(np.log(np.exp(block).sum()) - block[tokens[0, j]])
        known[0, j] = True
    return total


def test_free_bits_hold_the_rate() -> None:
    model = vae()
    nats = np.full((4, 3), 2.0, "float32")
    low, high = np.full((4, 2), 0.5, "float32"), np.full((4, 2), 5.0, "float32")
    assert float(model.objective(nats, low, 1.0)) == pytest.approx(6.0 + SMALL.free_nats)
    assert float(model.objective(nats, high, 1.0)) == pytest.approx(6.0 + 10.0)
    assert float(model.objective(nats, high, 0.5)) == pytest.approx(6.0 + 5.0)


def test_kl_is_zero_at_the_prior() -> None:
    model = vae()
    for variable in model.encoder.out.trainable_variables:
        variable.assign(np.zeros(variable.shape, "float32"))
    tokens, uniforms = np.zeros((2, 3), "int32"), np.full((2, 8), 0.5, "float32")
    _, kl = model(tokens, uniforms, np.zeros((2, 2), "float32"), np.zeros((2, 0), "uint8"))
    np.testing.assert_allclose(ops.convert_to_numpy(kl), 0.0, atol=1e-6)


def test_standard_normal_integrates_to_one() -> None:
    axis = np.linspace(-6, 6, 121, dtype="float32")
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = np.exp(ops.convert_to_numpy(StandardNormal().log_prob(grid)))
    assert density.sum() * 0.1**2 == pytest.approx(1.0, abs=1e-3)


def test_inverse_cdf_picks_by_share_and_never_a_forbidden_token() -> None:
    logits = np.log(np.array([[0.2, 0.3, 0.5]] * 4, "float32"))
    u = np.array([0.0, 0.19, 0.49, 0.9999999], "float32")
    assert ops.convert_to_numpy(inverse_cdf(logits, u)).tolist() == [0, 0, 1, 2]
    logits[:, 2] = logits[:, 0] = NEVER
    assert ops.convert_to_numpy(inverse_cdf(logits, u)).tolist() == [1, 1, 1, 1]


def test_the_table_of_a_block_forbids_what_may_not_follow() -> None:
    of = layout()
    compatible = np.zeros((4, 5), bool)
    compatible[:, 0] = True
    compatible[2] = [False, True, True, False, False]
    of = Layout(of.sizes, of.parents, of.features, of.sampleable, (None, None, compatible))
    table = block_table(of, 2, np.full((4, 5), 0.5, "float32"))
    assert (table[0] == 0.5).tolist() == [True, False, False, False, False]
    assert (table[2] == NEVER).tolist() == [True, False, False, True, True]


def test_dropout_keeps_the_mean_and_evaluation_drops_nothing() -> None:
    model = vae()
    drops = np.random.default_rng(0).integers(0, 256, (2000, 8)).astype("uint8")
    keep = ops.convert_to_numpy(model._keep(drops))
    assert keep.mean() == pytest.approx(1.0, abs=0.02)
    assert (keep == 0).mean() == pytest.approx(SMALL.dropout, abs=0.02)
    assert model._keep(np.zeros((2000, 0), "uint8")) is None


def echoing() -> Layout:
    """Blocks 0, 1 a number and its fine steps, 2, 3 another that may repeat it, 4 a category."""
    of = layout((4, 3, 5, 4, 2), (-1, 0, -1, 2, -1))
    tokens = np.random.default_rng(3).integers([[[0, 0]]], [[[5, 4]]], size=(4, 3, 2)).astype("int32")
    tokens[0] = -1
    return dataclasses.replace(of, echoes=(Echo((0, 1), (2, 3), tokens),))


def rows(of: Layout, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and known cells, half of the rows agreeing with the echo."""
    rng = np.random.default_rng(4)
    tokens = np.stack([rng.integers(0, v, n) for v in of.sizes], axis=1).astype("int32")
    told = of.echoes[0].tokens[tokens[:, 0], tokens[:, 1]]
    repeat = (rng.random(n) < 0.5) & (told[:, 0] >= 0)
    tokens[repeat, 2:4] = told[repeat]
    return tokens, rng.random((n, of.b)) < 0.6


def test_a_candidate_stands_for_the_token_of_a_known_source() -> None:
    model, of = vae(echoing()), echoing()
    tokens, known = rows(of, 50)
    told = of.echoes[0].tokens[tokens[:, 0], tokens[:, 1]]
    coarse, fine = ops.convert_to_numpy(model.decoder.copies.tokens(tokens, known)).T
    heard = known[:, 0] & known[:, 1]
    np.testing.assert_array_equal(coarse, np.where(heard, told[:, 0], -1))
    within = heard & known[:, 2] & (tokens[:, 2] == told[:, 0])
    np.testing.assert_array_equal(fine, np.where(within, told[:, 1], -1))


def test_the_objective_adds_the_candidates_to_the_tokens_they_stand_for() -> None:
    model, of = vae(echoing()), echoing()
    tokens, known = rows(of, 50)
    z = np.random.default_rng(5).normal(size=(50, 2)).astype("float32")
    logits = model.decoder(tokens, known, z)
    got = ops.convert_to_numpy(model.nats(tokens, known, logits))
    stems = model.decoder.stems(tokens, known, z)
    copies = model.decoder.copies
    for j in range(of.b):
        own = copies.tokens_of(j, tokens, known) if j in (2, 3) else None
        logits_j = alone(model, j, stems, own)
        nats = np.log(np.exp(logits_j).sum(axis=1)) - logits_j[np.arange(50), tokens[:, j]]
        np.testing.assert_allclose(got[:, j], nats, rtol=2e-4, atol=1e-5)


def test_agreement_is_revealed_with_the_cell_that_completes_it() -> None:
    model, of = vae(echoing()), echoing()
    tokens, known = rows(of, 20)
    z = np.zeros((20, 2), "float32")
    decoder = model.decoder
    stems, known = decoder.stems(tokens, np.zeros_like(known), z), np.zeros_like(known)
    for j in (2, 0, 4, 1, 3):
        known[:, j] = True
        gained = decoder.reveal(j, list(tokens.T), list(known.T))
        stems = [stem + gain for stem, gain in zip(stems, gained, strict=True)]
        for stem, again in zip(stems, decoder.stems(tokens, known, z), strict=True):
            np.testing.assert_allclose(stem, again, atol=1e-4)
