"""How to load an export, in the words of each trainer; names of files come from the export itself."""

from collections import Counter
from collections.abc import Callable, Sequence

from lgt_assets.release.writing import Written

MODEL = "Qwen/Qwen2.5-VL-7B-Instruct"


def loading(format_name: str, written: Sequence[Written], companions: Sequence[str]) -> str:
    """A sentence and a command or a few lines of Python.

    Args:
        format_name: one of :data:`lgt_assets.release.formats.registry.FORMATS`; of another there is no more than a sentence.
        written: what was written; only splits with rows are named.
        companions: paths of the files beside the rows; ready configs among them are named.
    """
    filled = [one for one in written if one.rows and one.split == "train"]
    if not filled:
        return "This export has no train rows."
    ready = sorted(path for path in companions if path.startswith("configs/") and path.endswith(".yaml"))
    return _LOADING.get(format_name, _plain)(filled, ready)


def _first(filled: Sequence[Written], task: str) -> Written:
    return next((one for one in filled if one.config.startswith(task)), filled[0])


def _code(language: str, *lines: str) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _ready(configs: Sequence[str], command: str) -> str:
    """Where ready configs lie, and how one of them is run: supervised, and by LoRA where there is one, which takes least."""
    if not configs:
        return ""
    folders = Counter(path.rpartition("/")[0] for path in configs)
    named = ", ".join(f"`{folder}/` ({number})" for folder, number in sorted(folders.items()))
    first = min((path for path in configs if "sft" in path), key=lambda path: ("lora" not in path, path), default=None)
    shown = "\n\n" + _code("bash", f"{command} {first}") if first else ""
    return f"\n\nReady configs for Qwen2.5-VL-7B: {named}. Each says in its first lines how it is run.{shown}"


def _hub(filled: Sequence[Written], configs: Sequence[str], reader: str) -> str:
    first = _first(filled, "sft")
    return f"The column `images` holds the pictures{reader}\n\n" + _code(
        "python", "from datasets import load_dataset", "",
        f'rows = load_dataset("PATH-OR-HUB-NAME", "{first.config}", split="{first.split}")', "rows[0]",
    )  # fmt: skip


def _trl(filled: Sequence[Written], configs: Sequence[str]) -> str:
    text = _hub(filled, configs, "; TRL's SFT, DPO and GRPO trainers take every config unchanged.")
    if any(one.config.startswith("rl_") for one in filled):
        text += (
            "\n\nRewards for GRPO are in `rewards.py`: `reward_funcs=[rewards.answer_reward, rewards.format_reward]`."
        )
    return text + _ready([path for path in configs if path.startswith("configs/trl/")], "trl sft --config")


def _structured(filled: Sequence[Written], configs: Sequence[str]) -> str:
    return _hub(filled, configs, "; messages have typed parts, which axolotl and ms-swift read.")


def _rows(filled: Sequence[Written], configs: Sequence[str]) -> str:
    first = _first(filled, "sft")
    return (
        "The tables' own columns; `images` holds ids, and `pictures.parquet` says where each picture lies. To train, export "
        "the release in a trainer's format: `lgt export --format hf --out DIR`.\n\n"
    ) + _code("python", "import polars as pl", "", f'rows = pl.read_parquet("{first.files[0]}")')


def _llamafactory(filled: Sequence[Written], configs: Sequence[str]) -> str:
    names = ", ".join(f"`lgt_{one.config}_{one.split}`" for one in filled)
    return (
        f"LLaMA-Factory finds the data sets in `dataset_info.json` of this folder (`dataset_dir: .`): {names}, and those of the "
        "validation splits. It trains on no RL prompts." + _ready(configs, "llamafactory-cli train")
    )


def _swift(filled: Sequence[Written], configs: Sequence[str]) -> str:
    first = _first(filled, "sft")
    text = "Paths of pictures are relative to this folder: run ms-swift in it.\n\n"
    return text + _code("bash", f"swift sft --model {MODEL} --dataset {first.files[0]}") + _ready(configs, "swift sft")


def _verl(filled: Sequence[Written], configs: Sequence[str]) -> str:
    first = _first(filled, "rl")
    validation = first.files[0].replace("train", "validation")
    return "verl scores answers with `compute_score` of `rewards.py`.\n\n" + _code(
        "bash", "python3 -m verl.trainer.main_ppo algorithm.adv_estimator=grpo \\",
        f"  data.train_files={first.files[0]} data.val_files={validation} data.image_key=images \\",
        f"  actor_rollout_ref.model.path={MODEL} \\",
        "  reward.custom_reward_function.path=rewards.py reward.custom_reward_function.name=compute_score",
    )  # fmt: skip


def _easyr1(filled: Sequence[Written], configs: Sequence[str]) -> str:
    first = _first(filled, "rl")
    return "EasyR1 scores answers with `easyr1_reward` of `rewards.py`.\n\n" + _code(
        "bash", f"python3 -m verl.trainer.main data.train_files={first.files[0]} \\",
        "  data.prompt_key=problem data.answer_key=answer data.image_key=images \\",
        f"  worker.actor.model.model_path={MODEL} worker.reward.reward_function=./rewards.py:easyr1_reward",
    )  # fmt: skip


def _openrlhf(filled: Sequence[Written], configs: Sequence[str]) -> str:
    first = _first(filled, "rl")
    return (
        f"For OpenRLHF: prompts are in `{first.files[0]}`, columns `prompt` (messages), `images` and `label`; `reward_func` of "
        "`rewards.py` scores the answers."
    )


def _plain(filled: Sequence[Written], configs: Sequence[str]) -> str:
    return "Rows are in " + ", ".join(f"`{path}`" for one in filled for path in one.files) + "."


_LOADING: dict[str, Callable[[Sequence[Written], Sequence[str]], str]] = {
    "hf": _trl, "structured": _structured, "rows": _rows, "llamafactory": _llamafactory, "swift": _swift, "verl": _verl,
    "easyr1": _easyr1, "openrlhf": _openrlhf,
}  # fmt: skip
