"""The roofline, on numbers that can be checked by hand."""

from __future__ import annotations

import pytest
from run_files import CH, case, trial

from joulemark.suite.notices import Code
from joulemark.suite.records import Emissions, Probe, Pue
from joulemark.suite.results.roofline import above_the_roof, limits, share
from joulemark.suite.results.summary import case_summary

PROBES = (
    Probe(framework="pytorch", device="cpu", precision="fp32", threads=2, flops_per_s=50e9, bytes_per_s=20e9),
    Probe(framework="tensorflow", device="cpu", precision="fp32", threads=2, flops_per_s=100e9, bytes_per_s=10e9),
    Probe(framework="tensorflow", device="cuda:0", precision="fp32", threads=2, flops_per_s=1e15, bytes_per_s=1e12),
)


def summarised(rates, **more):
    measured = case(trials=[trial(i + 1, rate) for i, rate in enumerate(rates)], **more)
    emissions = Emissions(intensity=CH, pue=Pue(value=1.0, source="test"))
    return measured.model_copy(update={"summary": case_summary(measured, {}, emissions)})


def test_the_roof_is_the_best_of_all_frameworks_on_that_device():
    # 10 FLOP per byte x 20 GB/s = 200 GFLOP/s, above the peak of 100: compute bound.
    achieved = share(summarised([100.0] * 3, flops_per_item=4e8, bytes_per_item=4e7), PROBES)
    assert achieved.attainable_flops_per_s == 100e9
    assert achieved.share == pytest.approx(100 * 4e8 / 100e9)


def test_below_the_ridge_the_bandwidth_is_the_roof():
    achieved = share(summarised([100.0] * 3, flops_per_item=4e7, bytes_per_item=4e7), PROBES)
    assert achieved.attainable_flops_per_s == 20e9
    assert achieved.share == pytest.approx(0.2)


# The ridge of these probes is at 100 GFLOP/s over 20 GB/s, 5 FLOPs a byte.
@pytest.mark.parametrize(
    ("unfused", "compulsory", "limit"),
    [
        (9e7, 8.1e7, "memory"),  # 4.4 to 4.9
        (9e7, 7.9e7, "undetermined"),  # 4.4 to 5.06
        (8.1e7, 1e6, "undetermined"),  # 4.9 to 400
        (7.9e7, 1e6, "arithmetic"),  # 5.06 to 400
        (None, 1e8, "undetermined"),  # at most 4, but nobody has counted the rest
    ],
)
def test_a_limit_is_named_only_where_the_whole_interval_lies_on_its_side(unfused, compulsory, limit):
    fields = {"flops_per_item": 4e8, "bytes_per_item": compulsory, "unfused_bytes_per_item": unfused}
    achieved = share(summarised([100.0] * 3, **fields), PROBES)
    assert achieved.limit == limit
    assert achieved.most_flops_per_byte == 4e8 / compulsory
    assert achieved.least_flops_per_byte == (4e8 / unfused if unfused else None)


def test_the_counts_of_limits_add_up():
    fields = [(9e7, 8.1e7), (7.9e7, 1e6), (9e7, 1e6), (None, 1e8)]
    shares = [
        share(summarised([1.0] * 3, flops_per_item=4e8, bytes_per_item=least, unfused_bytes_per_item=most), PROBES)
        for most, least in fields
    ]
    assert limits(shares) == "memory limits 1 of 4 cases, arithmetic 1; 2 undetermined"
    assert limits(shares[:1]) == "memory limits 1 of 1 case, arithmetic 0"


def test_without_probe_formula_or_result_there_is_no_share():
    assert share(summarised([100.0] * 3), ()) is None
    assert share(summarised([100.0] * 3, flops_per_item=None), PROBES) is None
    assert share(case(trials=[]), PROBES) is None


def test_an_interval_above_one_is_an_error_for_a_matrix_product_only():
    fast = {"flops_per_item": 2e9, "bytes_per_item": 1e6}
    product = summarised([99.0, 100.0, 101.0], workload="matmul", **fast)
    net = summarised([99.0, 100.0, 101.0], **fast)
    noisy = summarised([40.0, 60.0, 100.0], workload="matmul", **fast)
    notices = above_the_roof([product, net], PROBES)
    assert {key: notice.code for key, notice in notices.items()} == {
        product.id: Code.BEYOND_PEAK,
        net.id: Code.BEYOND_ROOF,
    }
    assert notices[product.id].value == pytest.approx(2.0, rel=0.01)
    assert above_the_roof([noisy], PROBES) == {}
