"""Several environments in one app, each after the one before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from flinkform import jobfile
from flinkform.errors import Invalid
from flinkform_constructs._cdk import Construct

Declare = Callable[[Construct, jobfile.Environment], Iterable[Any]]
"""Puts the stacks of an environment below a construct, and returns them."""


class PromotionPipeline(Construct):
    """The stacks of every environment, in the order in which a change passes through them.

    declare: Called once an environment, with the construct that its stacks go below. The CDK writes a stack to a folder
        of its id, so ids carry the environment's name.
    environments: The first is where a change begins; each takes its place only when all stacks of the one before
        are applied, so that `cdktf deploy '*'` stops where something fails.

    The same files make every environment: what may differ is what `environments/schema.yaml` allows, and a job that
    differs in anything else is refused where it is loaded. The stacks are in `stages`, by the environment's name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - the CDK's word
        declare: Declare,
        environments: Sequence[jobfile.Environment],
    ) -> None:
        super().__init__(scope, id)
        names = [environment.name for environment in environments]
        if not names or len(set(names)) != len(names):
            raise Invalid(f"{id}: expected environments of different names, got {', '.join(names) or 'none'}")
        stages: dict[str, tuple[Any, ...]] = {}
        before: tuple[Any, ...] = ()
        for environment in environments:
            stage = tuple(declare(Construct(self, environment.name), environment))
            for stack in stage:
                for earlier in before:
                    stack.add_dependency(earlier)
            stages[environment.name] = before = stage
        self.stages: Mapping[str, tuple[Any, ...]] = stages
