"""``rewards.py``, the file in every release with prompts for reinforcement learning: the rewards, without this package."""

from lgt_assets import __version__
from lgt_assets.release.joined_source import joined_source
from lgt_assets.release.reward_functions import __all__ as _REWARD_FUNCTIONS

_ENTRY = "lgt_assets.release.reward_functions"
_HEADER = """Rewards for the rl configs of this release: is the answer right, and has the completion the form of the traces?

This file stands alone: Python 3.11 or later and nothing else. It was joined from the modules of lgt_assets {version}
(Apache-2.0), which judged the answers of this very data set; edit those, not this.

TRL (GRPO), with the format hf; columns other than prompt and images reach the functions by themselves:

    from rewards import answer_reward, format_reward
    GRPOTrainer(..., reward_funcs=[answer_reward, format_reward], args=GRPOConfig(..., reward_weights=[0.9, 0.1]))

verl, with the format verl:

    reward.custom_reward_function.path=rewards.py reward.custom_reward_function.name=compute_score
    +reward.custom_reward_function.reward_kwargs.format_weight=0.1

EasyR1, with the format easyr1; leave data.format_prompt empty, the questions say already how to answer:

    worker.reward.reward_function=rewards.py:easyr1_reward

OpenRLHF, with the format openrlhf:

    --reward.remote_url rewards.py --data.label_key label

ms-swift calls answer_reward from a plugin of its own, which its export has beside this file.

TRL, verl and ms-swift are given the choices as well, so that a right choice named by its text counts; EasyR1 and OpenRLHF have
nothing but the answer, so that of a letter's question only the letter counts. Scores are 0.0 or 1.0 and never an exception,
whatever the completion."""


def rewards_source() -> str:
    """The text of ``rewards.py``: the same for the same version of this package."""
    return joined_source(_ENTRY, _HEADER.format(version=__version__), list(_REWARD_FUNCTIONS))
