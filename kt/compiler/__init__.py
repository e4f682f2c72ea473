"""The compiler: policy-config.yaml to plan. `pipeline` is its table of contents."""

from kt.compiler.pipeline import Compiled, compile_source
from kt.compiler.settings import Setting, Settings, Upstream

__all__ = ["Compiled", "Setting", "Settings", "Upstream", "compile_source"]
