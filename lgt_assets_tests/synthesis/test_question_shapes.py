"""Every shape of a written question that we have seen models write, or could think of."""

import pytest

from lgt_assets.synthesis.parsing import ParsedQuestion, parse_questions

HAT = ParsedQuestion("What color is the hat?", ["Red", "Blue", "Green"], 1, "")
TYPED = ParsedQuestion("What color is the hat?", ["Red", "Blue", "Green"], 1, "Recognition")
DOGS = ParsedQuestion("How many dogs are there?", ["One", "Two", "Three", "Four"], 2, "")
WORDS = {
    "{ABC}": "A. Red\nB. Blue\nC. Green\n", "{ABCD}": "A. One\nB. Two\nC. Three\nD. Four\n",
    "{INLINE}": "(A) Red (B) Blue (C) Green", "{INLINE_2}": "(A) One (B) Two (C) Three (D) Four",
    "{Q}": HAT.question, "{Q_2}": DOGS.question,
}  # fmt: skip
ONE = (
    "Q1: {Q}\nA) Red\nB) Blue\nC) Green\nAnswer: B",
    "Q1. {Q}\n{ABC}Answer: B. Blue",
    "Q1) {Q}\n{ABC}Answer: B. Blue",
    "**Q1:** {Q}\n(A) Red\n(B) Blue\n(C) Green\n**Answer:** (B) Blue",
    "**Q1. {Q}**\n\n(A) Red\n\n(B) Blue\n\n(C) Green\n\n**Answer: (B)**",
    "**Question 1:** {Q}\n\nA. Red  \nB. Blue  \nC. Green  \n\n**Answer:** B. Blue",
    "**Question 1**\n{Q}\n{ABC}**Correct Answer:** B",
    "### Question 1\n\n{Q}\n\n{ABC}\n**Correct Answer: B. Blue**",
    "### Question 1: {Q}\n- A) Red\n- B) Blue\n- C) Green\n\n**Answer: B) Blue**",
    "#### **Question 1**\n\n**{Q}**\n\n- **A)** Red\n- **B)** Blue\n- **C)** Green\n\n✅ **Answer:** **B)** Blue",
    "Question 1\n{Q}\nA: Red\nB: Blue\nC: Green\nCorrect answer: B",
    "Question: {Q}\nChoices: {INLINE}\nAnswer: (B) Blue",
    "Question: {Q}\nChoices:\n(A) Red\n(B) Blue\n(C) Green\nAnswer: (B) Blue",
    "Question: {Q}\nOptions:\n1. Red\n2. Blue\n3. Green\nAnswer: 2",
    "Question: {Q}\nOptions:\n1. Red\n2. Blue\n3. Green\nAnswer: 2. Blue",
    "Question: {Q}\nOptions:\n1) Red\n2) Blue\n3) Green\nAnswer: Blue",
    "Question: {Q}\nOptions:\n- Red\n- Blue\n- Green\nAnswer: Blue",
    "Question: {Q}\nOptions: Red, Blue, Green\nAnswer: Blue",
    "Question: {Q}\nOptions: [Red, Blue, Green]\nAnswer: Blue",
    'Question: {Q}\nOptions: ["Red", "Blue", "Green"]\nAnswer: Blue',
    "Question: {Q}\nOptions: ['Red', 'Blue', 'Green']\nAnswer: B",
    "Question: {Q}\nOptions: Red / Blue / Green\nAnswer: Blue",
    "Question: {Q}\nOptions: Red; Blue; Green\nAnswer: Blue",
    "Question: {Q}\nOptions: A. Red; B. Blue; C. Green\nAnswer: B",
    "Question: {Q}\nOptions: A. Red, B. Blue, C. Green.\nAnswer: B",
    "Question: {Q}\nOptions: A) Red | B) Blue | C) Green\nAnswer: B",
    "Question: {Q}\nOptions: (A) Red, (B) Blue, (C) Green\nAnswer: B",
    "Question: {Q}\nOptions: (A) Red, (B) Blue, or (C) Green\nAnswer: B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nThe correct answer is (B) Blue.",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nThe answer is B.",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nCorrect: B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nCorrect option: B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nCorrect choice: B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nRight answer: B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nSolution: B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nAns: B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nAns. B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nKey: B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nAnswer Key: B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nAnswer - B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\n> Answer: B",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\n[Answer: B]",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\n(Answer: B)",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\n*Answer: B*",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\n\nAnswer:\nB",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\n\n**Answer:**\n\n(B) Blue",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nAnswer: B\nExplanation: The hat is blue, not red.",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nAnswer: B\nRationale: The caption says so.",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nAnswer: B (the hat is blue)",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nAnswer: B - the hat is blue.",
    "Question: {Q}\n(A) Red\n(B) Blue\n(C) Green\nExplanation: The hat looks blue.\nAnswer: B",
    "1. {Q}\n   A. Red\n   B. Blue\n   C. Green\n   **Answer: B**",
    "1. {Q}\n   a. Red\n   b. Blue\n   c. Green\n   Answer: b",
    "1. {Q}\n   a) Red\n   b) Blue\n   c) Green\n   Answer: b) Blue",
    "1) {Q}\n(a) Red\n(b) Blue\n(c) Green\nAnswer: (b)",
    "(1) {Q}\n(a) Red\n(b) Blue\n(c) Green\nAnswer: (b)",
    "1. **{Q}**\n   - (A) Red\n   - (B) Blue\n   - (C) Green\n   - **Answer:** (B) Blue",
    "1. **{Q}**\n   - A. Red\n   - B. Blue\n   - C. Green\n   - Answer: B",
    "1. {Q}\n   * Red\n   * Blue\n   * Green\n   * Answer: Blue",
    "1. {Q}\n   i) Red\n   ii) Blue\n   iii) Green\n   Answer: ii",
    "1. {Q}\n   i. Red\n   ii. Blue\n   iii. Green\n   Answer: Blue",
    "1. {Q}\n   (i) Red\n   (ii) Blue\n   (iii) Green\n   Answer: (ii) Blue",
    "1. {Q}\n   I. Red\n   II. Blue\n   III. Green\n   Answer: II",
    "1. {Q}\n   (1) Red\n   (2) Blue\n   (3) Green\n   Answer: (2)",
    "1. {Q}\n   1) Red\n   2) Blue\n   3) Green\n   Answer: 2",
    "1. {Q}\n   1. Red\n   2. Blue\n   3. Green\n   Answer: 2",
    "1. {Q} {INLINE}\nAnswer: (B)",
    "1. {Q} A) Red B) Blue C) Green. Answer: B",
    "1. {Q} A. Red B. Blue C. Green\n   Answer: B",
    "1. {Q} [A] Red [B] Blue [C] Green. Answer: [B]",
    "- {Q}\n  - A. Red\n  - B. Blue\n  - C. Green\n  - Answer: B",
    "* **Question:** {Q}\n* **Choices:** {INLINE}\n* **Answer:** (B) Blue",
    "* **Question:** {Q}\n* **Options:**\n    * A. Red\n    * B. Blue\n    * C. Green\n* **Answer:** B. Blue",
    "- **Question**: {Q}\n- **Choices**:\n  - A: Red\n  - B: Blue\n  - C: Green\n- **Answer**: B",
    "- Question: {Q}\n- Options: A) Red B) Blue C) Green\n- Answer: B",
    "{Q}\n{ABC}\nB",
    "{Q}\n{ABC}Answer: B ✓",
    "{Q}\n[A] Red\n[B] Blue\n[C] Green\nAnswer: [B]",
    "{Q}\nA - Red\nB - Blue\nC - Green\nAnswer: B",
    "{Q}\nA – Red\nB – Blue\nC – Green\nAnswer: B",
    "{Q}\nA.Red\nB.Blue\nC.Green\nAnswer:B",
    "{Q}\nA）Red\nB）Blue\nC）Green\n答案：B",
    "{Q}\nA、Red\nB、Blue\nC、Green\n答案：B",
    "问题：{Q}\n选项：\n{ABC}答案：B",
    "{Q}\n\n| Option | Text |\n|---|---|\n| A | Red |\n| B | Blue |\n| C | Green |\n\nAnswer: B",
    "```\nQuestion: {Q}\n{ABC}Answer: B\n```",
    "```markdown\n**Question:** {Q}\n{ABC}**Answer:** B\n```",
    "Here is 1 question:\n\n1. {Q}\n{ABC}Answer: B\n\nLet me know if you need more!",
    "Sure! Here's a multiple-choice question based on the image:\n\n**{Q}**\n\n{ABC}\n**Answer: B. Blue**\n\nI "
    "hope this helps!",
    "Certainly!\n---\n1. {Q}\n{ABC}Answer: B\n---",
    '{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "B"}',
    '{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "Blue"}',
    '[{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "Blue"}]',
    '[{"question": "{Q}", "options": ["Red", "Blue", "Green"], "answer_index": 1}]',
    '[{"question": "{Q}", "options": ["A. Red", "B. Blue", "C. Green"], "answer": "B"}]',
    '[{"question": "{Q}", "options": ["(A) Red", "(B) Blue", "(C) Green"], "answer": "(B) Blue"}]',
    '[{"question": "{Q}", "options": {"A": "Red", "B": "Blue", "C": "Green"}, "answer": "B"}]',
    '[{"question": "{Q}", "options": {"A": "Red", "B": "Blue", "C": "Green"}, "correct_answer": "B"}]',
    '{"questions": [{"question": "{Q}", "options": ["Red","Blue","Green"], "correct_answer": "Blue"}]}',
    '```json\n[\n  {\n    "question": "{Q}",\n    "choices": ["Red", "Blue", "Green"],\n    "answer": "Blue"\n '
    " }\n]\n```",
    'Here is the JSON:\n```json\n{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "B"}\n'
    "```\nDone.",
    'Here is the JSON: {"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "B"} Done.',
    '{"question": "{Q}", "choices": ["Red", "Blue", "Green",], "answer": "B",}',
    "{'question': '{Q}', 'choices': ['Red', 'Blue', 'Green'], 'answer': 'B'}",
    '{"Question": "{Q}", "Choices": ["Red", "Blue", "Green"], "Answer": "B"}',
    '{"question": "{Q}", "choices": "{INLINE}", "answer": "(B)"}',
    '{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": 1}',
    '{"question": "{Q}", "choices": [{"label": "A", "text": "Red"}, {"label": "B", "text": "Blue"}, '
    '{"label":"C","text":"Green"}], "answer": "B"}',
    '{"question": "{Q}", "A": "Red", "B": "Blue", "C": "Green", "answer": "B"}',
    '{"question": "{Q}\\n(A) Red\\n(B) Blue\\n(C) Green", "answer": "B"}',
    '{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "B"}\n',
    "<question>{Q}</question>\n<choices>\n{ABC}</choices>\n<answer>B</answer>",
    '<question id=\'1\'>{Q}</question><choices type="mc">{INLINE}</choices><answer>B</answer>',
    "<question> {Q} </question> <choices> {INLINE} </choices> <answer> (B) Blue </answer>",
    "<question>{Q}</question><choice>Red</choice><choice>Blue</choice><choice>Green</choice><answer>Blue</answer>",
    "<question>{Q}</question><choices><choice>Red</choice><choice>Blue</choice><choice>Green</choice>"
    "</choices><answer>Blue</answer>",
    "<question>{Q}</question><options><option>Red</option><option>Blue</option><option>Green</option>"
    "</options><answer>Blue</answer>",
    "<question>{Q}</question><options><A>Red</A><B>Blue</B><C>Green</C></options><answer>B</answer>",
    "<question>{Q}</question><choices>{INLINE}<choices><answer>B<answer>",
    "<question>{Q}<question><choices>{INLINE}</choices><answer>B</answer>",
    "<question>{Q}</questions><choices>{INLINE}</choices><answer>B</answer>",
    "<question>{Q}</question><choices>{INLINE}</choice><answer>B</answer>",
    "<qustion>{Q}</qustion><choices>{INLINE}</choices><answer>B</answer>",
    "<Q>{Q}</Q><choices>{INLINE}</choices><answer>B</answer>",
    "<question>{Q}</question><choices>{INLINE}</choices><correct_answer>B</correct_answer>",
    "<question>{Q}</question><choices>{INLINE}</choices>\nAnswer: B",
    "<question>{Q}</question><choices>{INLINE}</choices>\n**Answer:** (B) Blue",
    "Question: {Q}\n<choices>{INLINE}</choices><answer>B</answer>",
    "**Question:** {Q}\n<choices>{INLINE}</choices><answer>B</answer>",
    "<question>{Q}</question>\nChoices: {INLINE}\n<answer>B</answer>",
    "<question>{Q}</question>\nChoices:\n(A) Red\n(B) Blue\n(C) Green\nAnswer: B",
    "<question>{Q}</question>\n(A) Red\n(B) Blue\n(C) Green\nAnswer: B",
    "<questions><question>{Q}</question><choices>{INLINE}</choices><answer>B</answer></questions>",
    "```xml\n<question>{Q}</question><choices>{INLINE}</choices><answer>B</answer>\n```",
    "&lt;question&gt;{Q}&lt;/question&gt;&lt;choices&gt;{INLINE}&lt;/choices&gt;&lt;answer&gt;B&lt;/answer&gt;",
    "**<question>** {Q} **</question>** **<choices>** {INLINE} **</choices>** **<answer>** B **</answer>**",
    "`<question>` {Q} `</question>` `<choices>` {INLINE} `</choices>` `<answer>` B `</answer>`",
    "<question>Question 1: {Q}</question><choices>{INLINE}</choices><answer>Answer: B</answer>",
    "<question>{Q}</question><choices>Choices: {INLINE}</choices><answer>The answer is B.</answer>",
    "<question>{Q}</question><choices>(A) Red<br>(B) Blue<br>(C) Green</choices><answer>B</answer>",
    '<question>{Q}</question><choices>["Red", "Blue", "Green"]</choices><answer>Blue</answer>',
    "<question>{Q}</question><choices>Red, Blue, Green</choices><answer>Blue</answer>",
    "<question>{Q}</question><choices>Red\nBlue\nGreen</choices><answer>Blue</answer>",
    "<question>{Q}</question><choices>A. Red B. Blue C. Green</choices><answer>b</answer>",
    "<question>{Q}</question><choices>(A)Red(B)Blue(C)Green</choices><answer>B</answer>",
    "<question>{Q}</question><choices>(A) Red; (B) Blue; (C) Green</choices><answer>B</answer>",
    "<question>{Q}</question><choices>A) Red, B) Blue, C) Green</choices><answer>B) Blue</answer>",
    "<question>{Q}</question><choices>• Red • Blue • Green</choices><answer>Blue</answer>",
    "<question>{Q}</question><choices>-Red\n-Blue\n-Green</choices><answer>Blue</answer>",
    "<question>{Q}</question><choices>1. Red 2. Blue 3. Green</choices><answer>2</answer>",
    "<question>{Q}</question><choices>(1) Red (2) Blue (3) Green</choices><answer>(2) Blue</answer>",
    "<question>{Q}</question><choices>(i) Red (ii) Blue (iii) Green</choices><answer>(ii)</answer>",
    "<question>{Q}</question><choices>{INLINE}</choices><answer>Blue.</answer>",
    "<question>{Q}</question><choices>{INLINE}</choices><answer>B. Blue, because the hat is blue</answer>",
    "<question>{Q}</question><choices>{INLINE}</choices><answer>**(B) Blue**</answer>",
    "<question>{Q}</question><choices>{INLINE}</choices><answer>(B)</answer><answer>Blue</answer>",
    "<think>Let me write <question>x</question></think><question>{Q}</question><choices>"
    "{INLINE}</choices><answer>B</answer>",
    "reasoning about <question> here</think><question>{Q}</question><choices>{INLINE}</choices><answer>B</answer>",
    "<question>{Q} {INLINE}</question><choices>{INLINE}</choices><answer>B</answer>",
    "<question>\n{Q}\n(A) Red\n(B) Blue\n(C) Green\n</question>\n<answer>B</answer>",
    "**Question:** {Q} **Options:** A) Red B) Blue C) Green **Answer:** B) Blue",
    "Question: {Q} Options: {INLINE} Answer: (B)",
    "Q: {Q} {INLINE} A: (B)",
    "Q: {Q}\n{INLINE}\nA: (B) Blue",
    "Question: {Q}\n{ABC}Answer: B\n\nWould you like me to write more questions?",
    "Sure, ready?\n\n1. {Q}\n{ABC}Answer: B",
    "Question: {Q}\nA. Red\nB. Blue (correct)\nC. Green",
    "Question: {Q}\nA. Red\nB. Blue ✓\nC. Green",
    "Question: {Q}\nA. Red\n**B. Blue** ✅\nC. Green",
    "1. {Q}\n{ABC}Answer: B\n\n**Explanation:** The hat is blue.\n- It is not red.\n- A is wrong.",
    "1. {Q}\n{ABC}\nAnswer: B. Blue\n\nNote: (A) is a distractor?",
    "MCQ 1: {Q}\n{ABC}Answer: B",
    "MCQ: {Q}\n{ABC}Answer: B",
    "Question #1: {Q}\n{ABC}Answer: B",
    "Question 1 - {Q}\n{ABC}Answer: B",
    "Question 1 – {Q}\n{ABC}Answer: B",
    "Q1 - {Q}\n{ABC}Answer: B",
    "[Q1] {Q}\n{ABC}Answer: B",
    "[Question] {Q}\n[Choices] A. Red B. Blue C. Green\n[Answer] B",
    "#1: {Q}\n{ABC}Answer: B",
    "1: {Q}\n{ABC}Answer: B",
    "1 - {Q}\n{ABC}Answer: B",
    "①{Q}\n{ABC}Answer: B",
    "**1.** {Q}\n{ABC}**Answer:** B",
    "**1)** {Q}\n{ABC}**Ans:** B",
    "1\\. {Q}\nA\\. Red\nB\\. Blue\nC\\. Green\nAnswer: B",
    "{Q}\n\nA) Red  B) Blue  C) Green\n\nAnswer: B) Blue",
    "{Q} A) Red, B) Blue, C) Green. Correct answer: B",
    "{Q}\n- [ ] Red\n- [x] Blue\n- [ ] Green",
    "{Q}\nA. Red B. Blue C. Green Answer: B",
    "{Q}\nA.\tRed\nB.\tBlue\nC.\tGreen\nAnswer:\tB",
    "{Q}\r\nA. Red\r\nB. Blue\r\nC. Green\r\nAnswer: B\r\n",
    "\ufeff{Q}\n{ABC}Answer: B",
    "{Q}\nOption A: Red\nOption B: Blue\nOption C: Green\nAnswer: Option B",
    "{Q}\nOption A. Red\nOption B. Blue\nOption C. Green\nAnswer: B",
    "{Q}\nChoice A: Red\nChoice B: Blue\nChoice C: Green\nCorrect choice: B",
    "{Q}\nOption 1: Red\nOption 2: Blue\nOption 3: Green\nAnswer: Option 2",
    "<question>{Q}</question><choices>Option A: Red\nOption B: Blue\nOption C: Green</choices><answer>B</answer>",
    "<question>{Q}</question><choices>A) Red / B) Blue / C) Green</choices><answer>B</answer>",
    "<question>{Q}</question><choices>A. Red, B. Blue and C. Green</choices><answer>B</answer>",
    "<question>{Q}</question><choices>{'A': 'Red', 'B': 'Blue', 'C': 'Green'}</choices><answer>B</answer>",
    "<question>{Q}</question><choices>(A) Red,(B) Blue,(C) Green</choices><answer>(B)</answer>",
    "<question>{Q}</question>\n\n<choices>\n\n(A) Red\n\n(B) Blue\n\n(C) Green\n\n</choices>\n\n<answer>\n\n(B) "
    "Blue\n\n</answer>",
    "<question>{Q}</question><choices>{INLINE}</choices><answer>(B)</answer>\n\n<explanation>The hat is "
    "blue, not red.</explanation>",
    "<mcq><question>{Q}</question><choices>{INLINE}</choices><answer>(B)</answer></mcq>",
    "<question><text>{Q}</text></question><choices>{INLINE}</choices><answer>(B)</answer>",
    "<question>\n<b>{Q}</b></question><choices>{INLINE}</choices><answer><b>B</b></answer>",
    "<question>{Q}</question><choices>{INLINE}</choices><answer>the second one, Blue</answer>",
    "<question>{Q}</question><choices>{INLINE}</choices><answer>Correct answer: B</answer>",
    "<question>{Q}</question><answer>B</answer><choices>{INLINE}</choices>",
    "<answer>B</answer><question>{Q}</question><choices>{INLINE}</choices>",
    '```\n{"question": "{Q}", "choices": {"a": "Red", "b": "Blue", "c": "Green"}, "answer": "b"}\n```',
    '{"question": "{Q}", "options": ["Red", "Blue", "Green"], "answer": {"letter": "B", "text": "Blue"}}',
    '{"question": "{Q}", "options": [["A", "Red"]], "choices": ["Red","Blue","Green"], "correct": "Blue"}',
    '{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "B", "explanation": "Not '
    '\\"red\\", {blue}"}',
    '[{"id": 1, "question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "B"},]',
    '{"question_1": {"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "B"}}',
    '<think>{"question": "x"}</think>{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "B"}',
    '{"question": "{Q}", "choices": [{"A": "Red"}, {"B": "Blue"}, {"C": "Green"}], "answer": "B"}',
    "question: {Q}\nchoices:\n  - Red\n  - Blue\n  - Green\nanswer: Blue",
    "- question: {Q}\n  choices:\n    - Red\n    - Blue\n    - Green\n  answer: Blue",
    '- question: "{Q}"\n  choices: ["Red", "Blue", "Green"]\n  answer: Blue',
    "{Q}\n{ABC}**Correct Answer**: **B. Blue**",
    "{Q}\n{ABC}Correct Answer:\n\n**B. Blue**\n\n",
    "{Q}\n{ABC}The correct answer is: B. Blue",
    "{Q}\n{ABC}The correct option is B.",
    "{Q}\n{ABC}So the answer is B.",
    "{Q}\n{ABC}\\boxed{B}",
    "{Q}\n{ABC}\n**Answer: \\boxed{B}**",
    "{Q}\n{ABC}<answer>B</answer>",
    "{Q}\n\nA. Red\n\nB. Blue\n\nC. Green\n\nB. Blue",
    "{Q}\n{ABC}B is correct.",
    "{Q}\n{ABC}Answer → B",
    "{Q}\n{ABC}Answer = B",
    "{Q}\n{ABC}ANSWER B",
    "{Q}\n{ABC}Answer is B",
)  # fmt: skip
WITH_TYPE = (
    "Question 1 (Recognition): {Q}\n{ABC}Answer: B",
    "**Type:** Recognition\n**Question:** {Q}\n{ABC}**Answer:** B",
    "Question: {Q}\n{ABC}Answer: B\nType: Recognition",
    "Question: {Q}\nType: Recognition\n{ABC}Answer: B",
    "<type>Recognition</type><question>{Q}</question><choices>{ABC}</choices><answer>B</answer>",
    "Question: {Q}\n{ABC}Answer: B\nCategory: Recognition",
    '{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "B", "type": "Recognition"}',
    "<question>{Q}</question><choices>{ABC}</choices><answer>B</answer><type>Recognition",
    "Question: {Q}\n{ABC}Answer: B\n*Question Type: Recognition*",
    "<question>{Q}</question><choices>{ABC}</choices><answer>B</answer><question_type>Recognition</question_type>",
    "1. [Recognition] {Q}\n{ABC}Answer: B",
)  # fmt: skip
TWO = (
    "1. {Q}\n{ABC}\n2. {Q_2}\n{ABCD}\nAnswers:\n1. B\n2. C",
    "1. {Q}\n{ABC}\n2. {Q_2}\n{ABCD}\nAnswers: 1. B 2. C",
    "1. {Q}\n{ABC}\n2. {Q_2}\n{ABCD}\n**Answer Key:**\n1. B) Blue\n2. C) Three",
    "1. {Q}\n{ABC}\n2. {Q_2}\n{ABCD}\nAnswer key: 1-B, 2-C",
    "1. {Q}\n{ABC}\n2. {Q_2}\n{ABCD}\nAnswers: 1: B, 2: C",
    "Q1: {Q}\n{ABC}A1: B\n\nQ2: {Q_2}\n{ABCD}A2: C",
    "Here are 2 questions:\n\nQ1: {Q}\n{INLINE}\nAnswer: B\n\nQ2: {Q_2}\n{INLINE_2}\nAnswer: C\n\nHope it helps!",
    "**1. {Q}**\nA) Red\nB) Blue\nC) Green\n**Answer: B) Blue**\n\n---\n\n**2. {Q_2}**\nA) One\nB) Two\nC) "
    "Three\nD) Four\n**Answer: C) Three**",
    "{Q}\n{ABC}Answer: B\n{Q_2}\n{ABCD}Answer: C",
    '[{"question":"{Q}","choices":["Red","Blue","Green"],"answer":"B"},{"question":"{Q_2}","choices":["On'
    'e","Two","Three","Four"],"answer":"Three"}]',
    '{"question":"{Q}","choices":["Red","Blue","Green"],"answer":"B"}\n'
    '{"question":"{Q_2}","choices":["One","Two","Three","Four"],"answer":"Three"}',
    "<question>{Q}</question><choices>{INLINE}</choices><answer>B</answer><question>{Q_2}</question>"
    "<choices>{INLINE_2}</choices><answer>C</answer>",
    "1. <question>{Q}</question>\n<choices>(A) Red\n(B) Blue\n(C) Green</choices>\n<answer>Blue</answer>\n2. "
    "<question>{Q_2}</question>\n<choices>(A) One\n(B) Two\n(C) Three\n(D) Four</choices>\n<answer>"
    "Three</answer>",
    "| # | Question | Choices | Answer |\n|---|---|---|---|\n| 1 | {Q} | {INLINE} | B |\n| 2 | {Q_2} | "
    "{INLINE_2} | C |",
    "1. {Q}\n   - Red\n   - Blue\n   - Green\n   Answer: Blue\n2. {Q_2}\n   - One\n   - Two\n   - Three\n   - "
    "Four\n   Answer: Three",
    "1. {Q} {INLINE} (Answer: B)\n2. {Q_2} {INLINE_2} (Answer: C)",
    "1. {Q}\n{ABC}Answer: B\n2. {Q_2}\n{ABCD}Answer: C",
    "1. {Q}\n{ABC}2. {Q_2}\n{ABCD}\n**Answers**\n\n1. **B**\n2. **C**",
    "1. {Q}\n{ABC}2. {Q_2}\n{ABCD}\nAnswers: B, C",
    "1. {Q}\n{ABC}2. {Q_2}\n{ABCD}\nCorrect answers:\nQ1: B\nQ2: C",
    "Q1: {Q}\n{ABC}Q2: {Q_2}\n{ABCD}\nAnswer Key:\nQ1 - B\nQ2 - C",
    "1. {Q}\n{ABC}2. {Q_2}\n{ABCD}\n### Answers\n\n| # | Answer |\n|---|---|\n| 1 | B |\n| 2 | C |",
    "1. {Q}\n{ABC}2. {Q_2}\n{ABCD}\nAnswers:\n1) B) Blue\n2) C) Three",
    "1. {Q}\n{ABC}2. {Q_2}\n{ABCD}\nAnswers:\n1. (B) Blue\n2. (C) Three\n\nLet me know if you need more!",
    "4. {Q}\n{ABC}5. {Q_2}\n{ABCD}\nAnswers:\n4. B\n5. C",
    "1. {Q}\n{ABC}Answer: B\n\n2. {Q_2}\n{ABCD}Answer: C\n\nLet me know if you would like more questions?",
    "## Questions\n\n1. {Q}\n{ABC}Answer: B\n\n2. {Q_2}\n{ABCD}Answer: C",
    "**1. {Q}**\n- A) Red\n- B) Blue\n- C) Green\n\n*Answer: B) Blue*\n\n**2. {Q_2}**\n- A) One\n- B) Two\n- C) "
    "Three\n- D) Four\n\n*Answer: C) Three*",
)  # fmt: skip
# (text, reason of each item; "" for a question)
FAULTY = (
    ("", ["no_question"]), ("Here are some questions:", ["no_question"]), ("[]", ["no_question"]), ("{}", ["no_question"]),
    ("<answer>B</answer>", ["no_question"]), ("{Q}", ["no_choices"]), ("1. {Q}\nAnswer: B", ["no_choices"]),
    ("<question>{Q}</question>", ["no_choices"]), ("<question>{Q}</question><choices>", ["cut_off"]),
    ("1. {Q}\n{ABC}", ["no_answer"]), ("1. {Q}\n{ABC}Answer: Purple", ["answer_not_a_choice"]),
    ("1. {Q}\n{ABC}Answer: A or B", ["several_answers"]), ("1. {Q}\n{ABC}Answer: A. Blue", ["several_answers"]),
    ("1. {Q}\n{ABC}Answer: D", ["answer_not_a_choice"]), ("1. {Q}\nA. Red\nB. Red\nC. Green\nAnswer: B", ["duplicate_choices"]),
    ("1. {Q}\n- Red\n- Red\n- Green\nAnswer: Green", ["duplicate_choices"]),
    ("1. {Q}\n1) Red\n2) Blue\n3) Green\nAnswer: 2) Red", ["several_answers"]),
    ("1. {Q}\nA. Red\nB. Blue\nAnswer: B", ["too_few_choices"]),
    ('{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": 3}', ["answer_not_a_choice"]),
    ('{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": ["A", "B"]}', ["several_answers"]),
    ('{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": null}', ["no_answer"]),
    ('{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "A", "answer_index": 1}', ["several_answers"]),
    ('{"question": "{Q}", "answer": "A"}', ["no_choices"]), ('{"question": "", "choices": ["a1", "b1", "c1"]}', ["no_question"]),
    ('[{"question": "{Q}", "choices": ["Red"', ["cut_off"]),
    ('[{"question": "{Q}", "choices": ["Red", "Blue", "Green"], "answer": "B"}, {"question": "Wh', ["", "cut_off"]),
    ("1. {Q}\n{ABC}Answer: B\n\n2. How many", ["", "no_choices"]),
    ("1. {Q}\n{ABC}Answer: B\n\n2. {Q_2}\nA. One\nB. Tw", ["", "too_few_choices"]),
    ("1. {Q}\n{ABC}Answer: B\n\n2. {Q_2}\n{ABCD}Answer:", ["", "no_answer"]),
    ("<question>{Q}</question><choices>{INLINE}</choices><answer>B</answer><question>How ma", ["", "cut_off"]),
    ("<question>{Q}</question><choices>{INLINE}</choices><answer>B</answer><question>{Q_2}</question><choices>(A",
     ["", "cut_off"]),
    ("<question>{Q}</question><choices>{INLINE}</choices><answer>B</answer><type>Recog", [""]),
    ("1. {Q}\n{ABC}2. {Q_2}\n{ABCD}\nAnswers: 1. B", ["", "no_answer"]),
    ("1. {Q}\n{ABC}2. {Q_2}\n{ABCD}\nAnswers: 1. B 2. C 3. D", ["no_answer", "no_answer"]),
    ("1. {Q}\n{ABC}2. {Q_2}\n{ABCD}\nAnswers: 2. C 1. B", ["no_answer", "no_answer"]),
    ("<type>Kind one</type><question>{Q}</question><choices>{INLINE}</choices><answer>Purple</answer>", ["answer_not_a_choice"]),
)  # fmt: skip


def _filled(text):
    for name, words in WORDS.items():
        text = text.replace(name, words)
    return text


@pytest.mark.parametrize("text", ONE)
def test_one_question(text):
    assert parse_questions(_filled(text)) == [HAT]


@pytest.mark.parametrize("text", WITH_TYPE)
def test_its_type(text):
    assert parse_questions(_filled(text)) == [TYPED]


@pytest.mark.parametrize("text", TWO)
def test_two_questions(text):
    assert parse_questions(_filled(text)) == [HAT, DOGS]


@pytest.mark.parametrize(("text", "reasons"), FAULTY)
def test_faults_have_reasons_and_earlier_questions_are_kept(text, reasons):
    assert [getattr(item, "reason", "") for item in parse_questions(_filled(text))] == reasons


def test_types_that_stand_before_their_questions_stay_with_them():
    for text in (
        "Type: One\nQuestion: {Q}\n{ABC}Answer: B\n\nType: Two\nQuestion: {Q_2}\n{ABCD}Answer: C",
        "<type>One</type><question>{Q}</question><choices>{INLINE}</choices><answer>B</answer>"
        "<type>Two</type><question>{Q_2}</question><choices>{INLINE_2}</choices><answer>C</answer>",
        "Question: {Q}\n{ABC}Answer: B\nType: One\n\nQuestion: {Q_2}\n{ABCD}Answer: C\nType: Two",
    ):
        assert [item.question_type for item in parse_questions(_filled(text))] == ["One", "Two"]


@pytest.mark.parametrize("count", range(1, 13))
def test_three_to_ten_choices_are_read_in_every_style(count):
    styles = ("(A) (B) (C) (D) (E) (F) (G) (H) (I) (J) (K) (L)", "a) b) c) d) e) f) g) h) i) j) k) l)",
              "1) 2) 3) 4) 5) 6) 7) 8) 9) 10) 11) 12)", "i. ii. iii. iv. v. vi. vii. viii. ix. x. xi. xii.")  # fmt: skip
    for marks in styles:
        lines = "\n".join(f"{mark} thing {i}" for i, mark in enumerate(marks.split()[:count]))
        (item,) = parse_questions(
            f"<question>Which?</question><choices>{lines}</choices><answer>thing {count - 1}</answer>"
        )
        if 3 <= count <= 10:
            assert item == ParsedQuestion("Which?", [f"thing {i}" for i in range(count)], count - 1, "")
        else:
            assert item.reason == ("too_few_choices" if count < 3 else "too_many_choices")
