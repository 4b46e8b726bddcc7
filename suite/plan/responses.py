"""What the phase `response` is planned with: tokens of prompts and responses, and batches that memory holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.memory import MEMORY
from joulemark.suite.records import Case, Response, Settings
from joulemark.workloads.spec import Phase, Size, Workload

PHASE: Phase = "response"


def preset(settings: Settings, workload: Workload, size: str, phase: Phase) -> Size:
    """Return a size of the workload; in phase `response`, with the tokens that the settings ask for.

    Raises UsageError where prompt and new tokens are more than the model's context.
    """
    default = workload.sizes[size]
    if phase != PHASE:
        return default
    prompt, new_tokens = settings.prompt or default.length, settings.new_tokens or default.new_tokens
    if prompt + new_tokens > default.context:
        name, context = f"{workload.id}:{size}", default.context
        raise UsageError(
            f"{_tokens(prompt, 'prompt')} and {_tokens(new_tokens, 'new')} are more than the context of {name}, "
            f"{context} tokens: {_what_fits(prompt, new_tokens, context)}."
        )
    hyper = {**default.hyper, "length": prompt, "new_tokens": new_tokens}
    return Size(hyper, default.batch_size)


def _what_fits(prompt: int, new_tokens: int, context: int) -> str:
    """Return in words which of two numbers of tokens to lower, and to what."""
    if new_tokens < context:
        return f"with --new-tokens {new_tokens}, give --prompt {context - new_tokens} at most"
    return f"give --new-tokens {max(1, context - prompt)} at most" + (
        f" with --prompt {min(prompt, context - 1)}" if prompt >= context else ""
    )


def _tokens(number: int, kind: str) -> str:
    return f"{number} {kind} token{'' if number == 1 else 's'}"


def planned(size: Size, phase: Phase) -> Response | None:
    """Return the tokens that a case of `size` is planned with; None outside of phase `response`."""
    if phase != PHASE:
        return None
    prompt, new_tokens = int(size.length), int(size.new_tokens)
    # Token i of 2 to `new_tokens` attends to the prompt and to i - 1 new ones, of which it has just read the last.
    context = prompt + new_tokens / 2 if new_tokens > 1 else None
    return Response(prompt_tokens=prompt, new_tokens=new_tokens, context_tokens=context)


def suffix(size: Size, default: Size, phase: Phase) -> str:
    """Return the end of a case's id: `+new-tokens=N+prompt=N`, each where it is not the default of its size."""
    keys = {"new-tokens": "new_tokens", "prompt": "length"} if phase == PHASE else {}
    changed = {key: size.hyper[name] for key, name in keys.items() if size.hyper[name] != default.hyper[name]}
    return "".join(f"+{key}={tokens}" for key, tokens in changed.items())


def check_phases(settings: Settings, phases: Iterable[Phase]) -> None:
    """Raise UsageError if tokens are given and no selected case has them."""
    given = [f"--{name.replace('_', '-')}" for name in ("prompt", "new_tokens") if getattr(settings, name) is not None]
    if given and PHASE not in phases:
        verb = "is" if len(given) == 1 else "are"
        raise UsageError(
            f"{' and '.join(given)} {verb} for phase response, and nothing that is selected has it: leave it out, or "
            "add --phase response and a workload that has it, such as gpt2."
        )


def check_memory(settings: Settings, cases: Sequence[Case]) -> None:
    """Raise UsageError for a batch of responses that was asked for by name and does not fit.

    Others that do not fit are skipped, as in every phase, and so are those of a sweep of batch sizes.
    """
    by_name = () if "batch-size" in settings.over else settings.batch_size
    for case in cases:
        if case.phase == PHASE and case.reason_code == MEMORY and case.batch_size in by_name:
            raise UsageError(f"{case.id}: {case.reason}.")
