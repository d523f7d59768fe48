"""The papers that a release owes its method to."""

BIBTEX = """\
@misc{acuna2025longgroundedthoughts,
  title         = {Long Grounded Thoughts: Synthesizing Visual Problems and Reasoning Chains at Scale},
  author        = {David Acuna and Chao-Han Huck Yang and Yuntian Deng and Jaehun Jung and Ximing Lu and
                   Prithviraj Ammanabrolu and Hyunwoo Kim and Yuan-Hong Liao and Yejin Choi},
  year          = {2025},
  eprint        = {2511.05705},
  archivePrefix = {arXiv},
  primaryClass  = {cs.CV},
  note          = {First version: Distilling Compositional Visual Reasoning Chains at Scale}
}

@misc{liao2025longperceptualthoughts,
  title         = {LongPerceptualThoughts: Distilling System-2 Reasoning for System-1 Perception},
  author        = {Yuan-Hong Liao and Sven Elflein and Liu He and Laura Leal-Taix{\\'e} and Yejin Choi and Sanja Fidler and
                   David Acuna},
  year          = {2025},
  eprint        = {2504.15362},
  archivePrefix = {arXiv},
  primaryClass  = {cs.CV}
}"""
