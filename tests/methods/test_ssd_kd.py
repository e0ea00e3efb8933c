"""When SSD-KD's warm-up ends and its generator starts again."""

from __future__ import annotations

from tests import small


def test_fewer_warm_up_rounds_if_the_buffer_is_full_earlier() -> None:
    method = small.build("ssd-kd", rounds=100, warmup=20, inversion_batch=256)
    assert method.schedule.warmup == 3  # 65 images, 32 a round


def test_adversarial_term_is_off_during_warm_up_alone() -> None:
    method = small.build("ssd-kd", warmup=2)
    names = [set(method.synthesise(index)) for index in range(3)]
    assert ["adversarial" in found for found in names] == [False, False, True]
