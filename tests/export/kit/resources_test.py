import dataclasses

import pytest

from export.kit import resources

MIB = 2**20


def test_memory_is_the_servers_the_versions_and_the_tensors_of_every_thread(folder):
    """toy: 50 MiB on disk, two loaded; other: small, one; three cores compute 2.5 s in a second, with 100 MiB each."""
    need = resources.needs(folder.served)
    toy, other = folder.served.models
    exact = 256 * MIB + 1.2 * (3 * toy.bytes + 2 * other.bytes) + 2 * 3 * 100 * MIB
    assert need.cores == 3
    assert need.memory_bytes % (64 * MIB) == 0 and 0 <= need.memory_bytes - exact < 64 * MIB


def test_the_batching_threads_of_the_configuration_count_where_they_are_set(folder):
    more = resources.needs(dataclasses.replace(folder.served, batch_threads=16))
    assert more.memory_bytes - resources.needs(folder.served).memory_bytes == pytest.approx(2 * 13 * 100 * MIB, abs=64 * MIB)


def test_the_start_leaves_ten_times_what_loading_and_warming_up_took(folder):
    """3 signatures in 4 batch sizes of at most 0.25 s, after 0.5 s of loading, twice."""
    assert resources.needs(folder.served).start_seconds == 60 + 10 * 2 * (0.5 + 3 * 4 * 0.25)


def test_the_end_leaves_two_of_the_largest_batches(folder):
    assert resources.needs(folder.served).drain_seconds == 11  # 10 + 2 x 0.25, up


@pytest.mark.parametrize("cpu_seconds, cores", [(0.001, 1), (1.0, 1), (1.2, 2), (60.0, 8)])
def test_the_cores_compute_a_batch_in_a_second_within_bounds(folder, cpu_seconds, cores):
    toy = folder.served.models[0]
    slower = dataclasses.replace(toy.cost, largest=dataclasses.replace(toy.cost.largest, cpu_seconds=cpu_seconds))
    of = dataclasses.replace(folder.served, models=(dataclasses.replace(toy, cost=slower),))
    assert resources.needs(of).cores == cores


def test_a_model_that_was_never_measured_counts_by_its_size(folder):
    of = dataclasses.replace(folder.served, models=(folder.served.models[1],))
    need = resources.needs(of)
    assert (need.cores, need.memory_bytes, need.start_seconds) == (1, 320 * MIB, 60)
    assert any("No measurement" in line for line in need.explained)


def test_slow_is_four_batches_and_falling_behind_a_wait_of_two(folder):
    toy = folder.served.models[0]
    assert resources.slow_seconds(toy.cost, 0.05) == pytest.approx(4 * 0.3)
    assert resources.slow_seconds(None, 0.002) == 0.25
    assert resources.queueing_seconds(dataclasses.replace(folder.served, batch_timeout_seconds=0.05)) == pytest.approx(2 * 0.3)
