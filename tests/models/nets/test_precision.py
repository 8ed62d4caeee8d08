import torch

from ghostnote.models.nets.precision import autocast


def dtype_of_a_product(monkeypatch, **capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    with autocast(torch.device("cpu")):
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


def test_a_processor_without_bf16_computes_in_32_bits(monkeypatch):
    assert dtype_of_a_product(monkeypatch, avx2=True, avx512_bf16=False, amx_bf16=False) == torch.float32
    assert dtype_of_a_product(monkeypatch, avx512_bf16=True) == torch.bfloat16
    assert dtype_of_a_product(monkeypatch, amx_bf16=True) == torch.bfloat16
