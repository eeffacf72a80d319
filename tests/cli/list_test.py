from tfgan_suite import registry
from tfgan_suite.cli import list as listing


def test_it_shows_every_variant_with_its_paper_and_every_preset(command):
    code, output, _ = command(listing)
    assert code == 0
    for name, variant in registry.VARIANTS.items():
        assert f"{name}: {variant.summary} {variant.paper}" in output.splitlines()
    assert [line.split(":")[0].strip() for line in output.splitlines() if line.startswith("  ")] == registry.names()
    assert "  sngan/cifar10: cifar10, 50000 steps, batch 64" in output.splitlines()


def test_it_shows_one_variant_alone(command):
    _, output, _ = command(listing, "--variant=wgan_gp")
    assert {line.strip().split("/")[0].split(":")[0] for line in output.splitlines()} == {"wgan_gp"}


def test_an_unknown_variant_is_refused_with_the_alternatives(command):
    code, _, errors = command(listing, "--variant=wgangp")
    assert code == 1
    assert "wgangp" in errors and "wgan_gp" in errors
