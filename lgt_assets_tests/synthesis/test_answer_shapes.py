"""Every shape of an answer that we have seen models write, or could think of, and the verdict on it.

The verdicts follow four sentences: an answer that as a whole equals one choice is that choice; a letter with another choice's
text is none, as is any text that names two; the last ``<answer>`` counts; cut off is none.
"""

import re

import pytest

from lgt_assets.synthesis.parsing import answer_index

COLORS = ["blue", "red", "green", "yellow"]
RED = (
    "B", "b", "(B", "B)", "B .", "B ,", " B\xa0", "\u200bB", "B\u200b", "\ufeffB", "Ｂ", "⒝", "Ⓑ", "ⓑ", "🄑", "🅑", "🅱",
    "𝐁", "𝑩", "ℬ", "（B）", "【B】", "「B」", "『B』", "《B》", "〔B〕", "[[B]]", "((B))", "<B>", "«B»", "‘B’", "“B”", '"B".',
    "'B'.", "`B`", "```\nB\n```", "```B```", "```text\n(B)\n```", "***B***", "__B__", "<b>B</b>",
    "<strong>B</strong>", "**(B)**", "**B.** red", "**B.** Red", "*B)* red", "**B**: red", "**B** - red",
    "**B** — red", "B — red", "B–red", "B-red", "B.Red", "B)Red", "B:red", "B ) red", "( B ) red", "(B)red",
    "[B] red", "{B} red", "B | red", "B / red", "B = red", "B → red", "B, red", "B; red", "B\nred", "(B)\n\nred",
    "B.\nred", "Option B", "option b", "OPTION B", "Option (B)", "option (b)", "Option: B", "Option B: red",
    "Option B - red", "Option B (red)", "Option **B**", "**Option B**", "**Option B: red**", "Option b) red",
    "Choice B", "choice b", "Choice: B", "Answer B", "answer (b)", "The answer is option B.",
    "The answer is option (B) red.", "The answer is (B) red", "The answer is b", "The answer is: B",
    "The answer is **B**", "The answer is **B. red**", 'The answer is "B".', "The answer is 'red'.",
    "The correct answer is: (B) red.", "The correct answer is B: red.", "The correct option is B",
    "The correct choice is B.", "The right answer is B", "The best answer is B", "The best answer is: B. red",
    "The most likely answer is B", "The answer would be B", "The answer should be B.", "The answer must be (B)",
    "The final answer is B", "Final answer: B", "Final Answer: (B) red", "FINAL ANSWER: B", "**Final Answer**: B",
    "**Final Answer:** B", "**Final Answer**\n\nB", "### Final Answer\nB", "## Answer\n\nB", "Answer\nB",
    "**Answer**\nB", "**Answer:**\n\nB. red", "### Answer: B", "Answer: B", "answer: b", "Answer - B", "Answer = B",
    "Answer is B", "Ans: B", "Ans. B", "ans: (b)", "Correct answer: B", "Correct option: B",
    "Correct Answer: **B. red**", "My answer: B", "My answer is B", "My choice is B", "My choice: B", "I choose B",
    "I choose (B).", "I choose option B", "I would choose B.", "I'd choose B", "I pick B", "I select B",
    "I'll go with B", "I will go with (B) red.", "I go with B", "I believe the answer is B", "I believe it's B",
    "I think B", "I think B is correct", "I think the answer is (B)", "I think it's red", "It is B", "It's (B)",
    "It is red", "It's red.", "It would be B", "It must be B.", "That would be B", "So B", "So, B",
    "So the answer is B.", "Thus, the answer is B", "Therefore B", "Therefore, B.",
    "Therefore, the answer is (B) red.", "Hence, B", "Hence the correct option is B",
    "Based on the image, the answer is B.", "Based on the image, the ball is red.",
    "Looking at the picture, it is red, so B.", "B is correct", "B is correct.", "B is right",
    "B is the correct answer", "(B) is the correct answer.", "B is the answer.", "B because the ball is red",
    "B, because the ball is red", "B since the ball is red", "B as the ball is red", "B. red, since the ball is red",
    "B. red (since the ball is red)", "B. Because the ball is red.", "B - because the ball is red",
    "B\n\nThe ball is red.", "B\n\nExplanation: The ball is red.", "B.\n\nReason: red is the colour of the ball",
    "(B) red. The ball in the centre is clearly red.", "B red because that is the colour",
    "B) red — the ball is clearly red.", "B: the ball is red", "B, the red one", "the red one", "The red one.",
    "red.", "Red!", "RED", '"red"', "“red”", "‘Red’", "'red.'", "`red`", "**red**", "*Red*", "_red_", "Red;", "red,",
    "(red)", "[red]", "{red}", "a red", "the red", "The color is red.", "The ball is red", "the ball's color is red",
    "red ball", "a red ball", "reD", "\\boxed{B}", "\\boxed{b}", "\\boxed{(B)}", "\\boxed{B.}", "\\boxed{\\text{B}}",
    "\\boxed{\\text{(B)}}", "\\boxed{\\text{(B) red}}", "\\boxed{\\text{B. red}}", "\\boxed{\\mathrm{B}}",
    "$\\boxed{\\mathrm{(B)}}$", "$\\boxed{B}$", "$$\\boxed{B}$$", "\\[\\boxed{B}\\]", "\\(\\boxed{B}\\)",
    "\\[\n\\boxed{B}\n\\]", "\\boxed{\\textbf{B}}", "\\boxed{\\textbf{(B)}\\ red}", "\\boxed{\\textbf{(B)}~red}",
    "\\boxed{\\mathbf{B}}", "\\boxed {B}", "\\boxed{ B }", "\\boxed{\\mbox{B}}", "\\boxed{\\textsf{B}}",
    "\\boxed{\\textrm{B}}", "\\boxed{\\operatorname{B}}", "\\boxed{\\text{Option B}}", "\\boxed{\\text{red}}",
    "\\boxed{red}", "\\boxed{\\text{B) red}}", "\\boxed{\\text{B}: \\text{red}}", "\\boxed{\\text{B}\\text{ red}}",
    "The answer is \\boxed{B}.", "The final answer is $\\boxed{B}$.", "**Answer:** \\boxed{B}",
    "So the answer is $\\boxed{\\text{B}}$, as the ball is red.", "\\fbox{B}", "$B$", "\\(B\\)", "$\\text{B}$",
    "\\text{B}", "\\textbf{B}", "\\mathbf{B}", "**\\boxed{B}**", "boxed{B}", "\\boxed B", '{"answer": "B"}',
    '{"answer":"(B) red"}', "{'answer': 'B'}", '{"answer": "red"}', '```json\n{"answer": "B"}\n```',
    '{"final_answer": "B"}', '["B"]', '{"choice": "B"}', '{"option": "B"}',
    '{"answer": "B", "explanation": "the ball is red"}', '{"reasoning": "the ball is red", "answer": "B"}',
    "<answer>B</answer>", "<answer> B </answer>", "<answer>\nB\n</answer>", "<ANSWER>B</ANSWER>",
    '<answer type="mc">B</answer>', "<answer id=1>B</answer>", "< answer >B< / answer >", "<answer>B</answer >",
    "<answer>(B) red</answer>", "<answer><b>B</b></answer>", "<answer>**B**</answer>", "<answer>Option B</answer>",
    "<answer>The answer is B.</answer>", "<answer>A</answer><answer>B</answer>",
    "<answer>A</answer> Wait. <answer>red</answer>", "<answer>B</answer>.", "<answer>B</answer> trailing A",
    "<answer>B</answer></s>", "<answer>B</answer><|im_end|>", "<answer>B</answer><｜end▁of▁sentence｜>", "B<|im_end|>",
    "B</s>", "B<|eot_id|>", "<think>A or C?</think><answer>B</answer>", "<think>A?</think>B",
    "<think>A?</think>\n\nB", "A or C?</think>\n\nB", "A or C?</think>\n\nThe answer is B",
    "<think>A?</think>\n\n**Answer: B**", "<think>A?</think>\n\n**B. red**",
    "<think>A?</think> The correct answer is **B**.", "<think>A</think>\n\\boxed{B}",
    "<think>x</think> The ball is red, so \\boxed{B} is right",
    "<think>A?</think><think>C?</think><answer>B</answer>", "<answer>A<answer>B</answer>",
    "<answer><answer>B</answer>", "<answer>B</answer></answer>", "<answer>B<\\answer>", "<answer>B<\\/answer>",
    "[answer]B[/answer]", "<|answer|>B<|/answer|>", "<Answer>b.</Answer>", "<final_answer>B</final_answer>", "答案是B",
    "答案是 B。", "答案：B", "答案为B", "选B", "选择B", "选项B", "正确答案是B", "正确答案：(B) red", "故选B",
    "故选：B", "所以答案是B。",
    "La respuesta es B", "La réponse est B.", "La réponse est la B", "Die Antwort ist B", "Die Antwort lautet: B",
    "Antwort: B", "Réponse : B", "Respuesta: B", "Resposta: B", "Ответ: B", "Ответ B", "答えはBです", "答えは(B)です。",
    "정답: B", "정답은 B입니다", "الجواب B", "उत्तर B", "the second option, B", "it's b", "its b", "Its B", "I'd say B",
    "I say B", "must be B", "probably B", "Probably (B)", "likely B", "Clearly B.", "Definitely B", "B for sure",
    "B, I think", "B I think", "B?", "B!", "B...", "B…", "B,", "B;", "B/", "B*", "B#", "#B", "# B", "> B", "- B",
    "* B", "• B", "1. B", "1) B", "1: B", "Q1: B", "Q1. B", "-> B", "→ B", "=> B", "= B", ": B", ". B", ") B",
    "is B", "B\\.", "B\\)", "\\(B) red", "(B\\)", "B<br>", "<p>B</p>", "B&nbsp;", "&quot;B&quot;", "&lt;B&gt;",
    "B\r\n", "B\x0b", "\tB", "B\x00", "\x00B", "\ud800B", "B \udfff", "B 😀", "✅ B", "✓ B", "👉 **B**", "🅱️", "B️",
    "The answer is B, red", "The answer is red (B)", "red (B)", "red, B", "red - B", "red: B", "red [B]", "red → B",
    "Red, which is option B", "Red, so the answer is B", "red i.e. B", "The ball is red, i.e. option (B).",
    "Given the ball is red, the answer is B.", "the ball is red -> B", "The ball in the image is red. B",
    "The ball is red.\n\nB", "The ball is red.\nAnswer: B", "The ball is red. Answer: B", "The ball is red.\n(B)",
    "The ball is red.\n\n**B. red**", "The ball is red.\n\nTherefore, the correct answer is:\n\n(B) red",
    "The correct answer is:\n\n**B. red**", "The answer is\nB",
    "Based on the given options, the correct choice is B.", "Among the given options, B is best.",
    "Among the options, red is the best", "Out of these, (B) matches", "Sure! B", "Sure, the answer is B.",
    "Okay, B", "Yes, B", "Yes, it's red", "Certainly! The answer is B", "The answer is B (red).",
    "The answer is B, i.e., red", "The answer is B i.e. red", "B, i.e. red", "B i.e. red", "B aka red",
    "B which is red", "B: Red.", "b: Red", "b) Red", "b. red", "(b) red.", "b - red", "b red", "B RED", "B\tred",
    "B  red", "(B): red", "(B). red", "(B)- red", "(B) - red", "(B), red", "[B]. red", "B.) red", "(B.) red",
    "B). red", "B]: red", "1. B. red", "- (B) red", "* **B.** red", "> (B) red", "(B) **red**", '(B) "red"',
    "(B) 'red'", "(B) `red`", "(B) red\n(B) red", "B B", "B, B", "B and B", "(B) (B) (B)", "B red B", "B. red. B",
    "It is (b)", "it is (B), red", "the option is b", "option is B", "the letter B", "letter B", "Letter: B",
    "the letter is B", "B (option)", "B option", "B choice", "B answer", "B is my answer", "B is what I choose",
    "B fits best", "B matches", "B seems right", "B makes sense", "B looks right", "Only B", "Only B is right",
    "only B fits", "just B", "simply B", "B only", "B alone", "Both clues point to B",
    "Both the ball and cone are red, so B", "The object is neither round nor flat; it is red", "not sure, but B",
    "I'm not sure, but I think it's B", "It's not easy to tell, but the answer is B", "I can't be certain but B",
    "No doubt: B", "No, it is red", "No, B", "A red", "B\nExplanation: A is blue, which the ball is not.",
    "(B) red\n\n**Explanation:** it is not blue.", '{"answer": "B", "explanation": "not blue"}',
    "<think> A? </think>\n\n### Final Answer\n(B) red", "<think> A? </think>\n\nThe ball is red.\n\n**B**",
    "<think> A? </think>\n\nB) red\n\nThe ball is clearly red.", "<think> A? </think> B<|im_end|>",
    "<thinking>A</thinking><final_answer>B</final_answer>", "&lt;answer&gt;B&lt;/answer&gt;", "◁think▷A?◁/think▷B",
)  # fmt: skip
NONE_OF_THEM = (
    "", " \n\t ", ".", "?", "()", "**", "N/A", "None", "none of these", "E", "(E)", "E. red", "Z", "F) red", "AB",
    "ABCD", "abc", "B or C", "B or A", "(A) or (B)", "either A or C", "Either B or C", "A and B", "A, B", "A,B,C",
    "A/B", "A & B", "A+B", "A B", "(A)(B)", "A; B", "A|B", "A\nB", "A. B", "between A and B", "A or maybe B",
    "A (or B)", "Both A and B", "both", "all", "All of the above", "neither A nor B", "neither", "Neither", "not B",
    "Not (B)", "not red", "It is not red", "It isn't red", "it's not B", "B is wrong", "B is incorrect",
    "B is not correct", "B is not the answer", "The answer is not B", "The answer isn't B", "anything but B",
    "anything except B", "except B", "cannot be B", "can't be B", "not option B", "never B", "rule out B",
    "eliminate B", "The answer is B because A is wrong", "B, not A", "not A but B", "red not blue", "red, not blue",
    "red or green", "red and green", "red/green", "red, green", "dark redness", "reddish", "Fred", "bluered",
    "infrared", "colored", "hundred", "B. blue", "B blue", "B) blue.", "(B) green", "B: yellow", "B - blue",
    "B (blue)", "blue (B)", "Option B: blue", "The answer is B: blue", "The answer is (B) blue.",
    "B. The ball is blue.", "b. blue", "A. red", "A: red", "(a) red", "a) red", "\\boxed{A,B}",
    "\\boxed{A}\\boxed{B}", "\\boxed{}", "\\boxed{E}", "\\boxed{\\text{B blue}}", "\\boxed{(B) blue}",
    "<answer></answer>", "<answer> </answer>", "<answer>", "<answer>B", "<answer>B</answer", "<answer>B</ans",
    "<answer>B <", "<think>B", "<think>B</think>", "<think>the answer is B", "<answer>A</answer><answer>B",
    "<answer>B</answer> hmm <answer>", "<answer>A or B</answer>", "<answer>purple</answer>",
    "<think>x</think><answer>B", "I don't know", "unknown", "unclear", "I cannot answer", "The image does not show",
    "Cannot be determined", "0", "1", "2", "B1", "B2B", "1B", "Bb", "The ball", "I", "I think so", "Because", "But",
    "be", "by", "B-52", "A big red ball and a blue one", "It could be red or blue", "red? blue?", "blue → red",
    "from blue to red", "A → B", "A vs B", "A > B", "not blue, not green", "\\boxed{B", "<answer>B<answer>", "A: B",
    "A Red", "A Red.", "<think> x </think>\\boxed{B", "B\nor C", "A. blue\nB. red",
)  # fmt: skip
# (choices, what answers with which of them)
OTHERS = (
    (["A reflection of red lights", "A red ball", "red lights", "None of the above"], {
        "A reflection of red lights": 0, "a reflection of red lights": 0, "A reflection of red lights.": 0,
        "(A) A reflection of red lights": 0, "A. A reflection of red lights": 0, "A": 0, "C": 2,
        "None of the above": 3, "none": None, "D. none of the above": 3, "B. A red ball": 1, "A red ball": 1,
        "red ball": 1, "B": 1, "C. A reflection of red lights": None, "A. red lights": None,
        "The answer is None of the above.": 3, "It shows red lights": 2,
    }),
    (["red", "dark red", "light red", "reddish brown"], {
        "red": 0, "dark red": 1, "It is dark red.": 1, "B. dark red": 1, "(A) dark red": None, "A. red": 0,
        "light red": 2, "the dark red one": 1, "B": 1, "dark red or red": None, "reddish brown": 3, "D": 3,
        "dark Red!": 1, "The answer is red, not dark red": None,
    }),
    (["yes", "no"], {
        "Yes": 0, "No": 1, "yes.": 0, "No.": 1, "Yes, it is": 0, "No, it isn't": 1, "A": 0, "B. No": 1,
        "A. No": None, "yes and no": None, "B": 1, "no, not at all": 1, "N": None, "Y": None,
    }),
    (["yes", "no", "maybe"], {
        "Yes, because it is there": 0, "No, there are not any.": 1, "No": 1, "maybe": 2, "(B) No, it is not": 1,
    }),
    (["A", "B", "C", "D"], {
        "A": 0, "B": 1, "(C)": 2, "The answer is D": 3,
    }),
    (["B", "A", "D", "C"], {
        "A": 1, "B": 0, "(A)": 0, "(A) B": 0, "A. B": 0, "B. A": 1, "A) A": None,
    }),
    (["2", "3", "4", "5"], {
        "2": 0, "two": 0, "Two": 0, "There are two.": 0, "There are 2 dogs": 0, "two dogs": 0, "(A) 2": 0,
        "A. two": 0, "B. two": None, "B": 1, "B. 3": 1, "option 2": 0, "three.": 1, "2 or 3": None,
        "two or three": None, "25": None, "2.5": None, "D) five": 3, "There are three dogs: one big and more": 1,
        "none": None,
    }),
    (["Two", "Three", "Four", "Six"], {
        "2": 0, "3": 1, "two": 0, "There are 4 arms": 2, "C. 4": 2, "B. 4": None, "(C) Four": 2, "Four.": 2,
        "four arms": 2, "24": None,
    }),
    (["One", "Two", "Three", "None"], {
        "None": 3, "none": 3, "D. None": 3, "one": 0, "1": 0, "0": None, "zero": None, "None of them": 3, "A": 0,
    }),
    (["10 cm", "20 cm", "30 cm"], {
        "10 cm": 0, "10cm": 0, "20 cm.": 1, "B) 20 cm": 1, "B": 1, "about 20 cm": 1, "120 cm": None, "30 CM": 2,
    }),
    (["10%", "20%", "50%"], {
        "10%": 0, "10 %": 0, "50%.": 2, "B. 20%": 1, "B": 1,
    }),
    (["$5", "$10", "$15"], {
        "$5": 0, "$10": 1, "B. $10": 1, "B": 1, "$15.": 2, "It costs $10.": 1, "$5 and $10": None,
    }),
    (["3:00", "3:30", "4:00"], {
        "3:00": 0, "3:30": 1, "B. 3:30": 1, "It is 3:30.": 1, "4:00.": 2, "3": None,
    }),
    (["1/2", "1/4", "3/4"], {
        "1/2": 0, "½": 0, "C. 3/4": 2, "3/4.": 2,
    }),
    (["Both A and B", "Only A", "Only B", "Neither"], {
        "Both A and B": 0, "A": 0, "B": 1, "Only A": 1, "only a": 1, "D": 3, "Neither": 3, "B. Only A": 1,
        "B. Only B": None, "The answer is both A and B": 0, "(A) Both A and B": 0,
    }),
    (["cat", "dog", "Both A and B", "None of the above"], {
        "Both A and B": 2, "C": 2, "C. Both A and B": 2, "A and B": None, "both A and B.": 2, "A": 0,
        "None of the above": 3, "D": 3, "None of the above.": 3,
    }),
    (["cat", "dog", "bird", "All of the above"], {
        "All of the above": 3, "all of the above.": 3, "D. All of the above": 3, "D) All": 3, "(D)": 3,
        "A. All of the above": None,
    }),
    (["I", "II", "III", "IV"], {
        "I": 0, "II": 1, "IV": 3, "D": 3, "C. III": 2, "Option II": 1,
    }),
    (["a", "an", "the", "it"], {
        "a": 0, "an": 1, "the": 2, "D": 3, "B. an": 1,
    }),
    (["I see a dog", "A cat is there", "an owl"], {
        "I see a dog": 0, "A cat is there": 1, "owl": 2, "an owl": 2, "A. I see a dog": 0, "I": None, "A": 0,
    }),
    (["C++", "C#", "C", "Java"], {
        "C++": 0, "C#": 1, "C": 2, "Java": 3, "(C)": 2, "A. C++": 0, "D": 3, "C. C": 2,
    }),
    (["t-shirt", "shirt", "tie"], {
        "t-shirt": 0, "shirt": 1, "T-shirt": 0, "a shirt": 1, "A. t-shirt": 0, "B. t-shirt": None, "tie.": 2,
        "T-Shirt.": 0,
    }),
    (["X-ray", "Y", "Z"], {
        "X-ray": 0, "X": None, "Y": 1, "C": 2,
    }),
    (["in front of the car", "behind the car", "on the car", "under the car"], {
        "in front of the car": 0, "It is behind the car.": 1, "B": 1, "B. It is behind the car": 1, "the car": None,
        "on the car": 2, "D) Under the car.": 3,
    }),
    (["left", "right", "top", "bottom"], {
        "right": 1, "A": 0, "A. left": 0, "left": 0, "The right side": 1, "left and right": None,
        "That's right: B": 1, "It is on the left.": 0,
    }),
    (["red", "red", "blue"], {
        "red": None, "A": 0, "B": 1, "B. red": 1, "A. red": 0, "blue": 2,
    }),
    (["", "x", "y"], {
        "A": 0, "": None, "x": 1,
    }),
    (["Red", "red"], {
        "Red": 0, "red": 1, "RED": None, "B": 1,
    }),
    (["a man", "a woman", "a child"], {
        "man": 0, "a man": 0, "the woman": 1, "A man": 0, "A child": 2, "It is a man": 0, "B woman": 1,
    }),
    (["café", "naïve", "ångström"], {
        "café": 0, "café": 0, "CAFÉ": 0, "A. café": 0, "B": 1,
    }),
    (["Straße", "Weg", "Platz"], {
        "Strasse": 0, "STRASSE": 0, "Straße": 0, "B. Weg": 1,
    }),
    (["St. Mary's", "St. John's", "St. Paul's"], {
        "St. Mary's": 0, "St. Mary’s": 0, "B. St. John's": 1, "It is St. Paul's.": 2,
    }),
    (["x < 5", "x > 5", "x = 5"], {
        "x < 5": 0, "x > 5": 1, "B. x > 5": 1, "C": 2,
    }),
    (["*", "#", "@"], {
        "*": 0, "#": 1, "@": 2, "B": 1, "B. #": 1,
    }),
    (["$x^2$", "$x^3$", "$x^4$"], {
        "$x^2$": 0, "x^2": 0, "B. $x^3$": 1, "\\boxed{x^3}": 1, "\\boxed{B}": 1,
    }),
    (["\\frac{1}{2}", "\\frac{1}{3}", "1"], {
        "\\frac{1}{2}": 0, "\\boxed{\\frac{1}{3}}": 1, "$\\frac{1}{3}$": 1, "1": 2,
    }),
    (["thing 0", "thing 1", "thing 2", "thing 3", "thing 4", "thing 5", "thing 6", "thing 7", "thing 8", "thing 9"], {
        "J": 9, "I": 8, "j": 9, "i": 8, "(J) thing 9": 9, "K": None, "H. thing 7": 7, "thing 1": 1, "I. thing 8": 8,
        "I thing 8": 8, "i) thing 8": 8, "(I) thing 8": 8, "G": 6,
    }),
    (["Yes, the ball is red", "No, the ball is blue", "Cannot be determined"], {
        "Yes, the ball is red": 0, "A": 0, "B. No, the ball is blue.": 1, "Cannot be determined": 2, "C": 2,
        "cannot be determined.": 2, "It cannot be determined": 2,
    }),
    (["not red", "red", "blue"], {
        "not red": 0, "red": 1, "It is not red.": 0, "A. not red": 0, "B. not red": None, "not blue": None,
    }),
    (["The cat is sleeping", "The dog is sleeping", "The cat is eating"], {
        "The cat is sleeping.": 0, "A. The cat is sleeping because it is tired": 0, "The dog is sleeping": 1,
        "cat is eating": 2, "The cat": None,
    }),
    (["1", "2", "3", "4"], {
        "1": 0, "Option 2": 1, "B": 1, "(2)": 1, "2.": 1, "2)": 1, "B. 2": 1, "A. 2": None,
        "B) 2 because there are 2 dogs": 1, "4": 3,
    }),
    (["Apple", "Banana", "Cherry"], {
        "banana": 1, "B": 1, "b. Banana": 1, "B. Banana is the fruit shown": 1, "C. Banana": None,
    }),
    (["red and blue", "red", "blue"], {
        "red and blue": 0, "red": 1, "A. red and blue": 0, "It is red and blue.": 0, "blue and red": None,
    }),
    (["Dr. Smith", "Mr. Lee", "a nurse"], {
        "Dr. Smith": 0, "Mr. Lee": 1, "B. Mr. Lee": 1, "Smith": None, "nurse": 2,
    }),
    (["8 a.m.", "9 a.m.", "10 a.m."], {
        "8 a.m.": 0, "A": 0, "B. 9 a.m.": 1, "It is 9 a.m.": 1,
    }),
    (["Yes", "No", "Not sure", "Cannot tell"], {
        "I'm not sure": 2, "I cannot tell": 3, "Yes, definitely.": 0, "The answer is no": 1, "The answer is not yes": None,
        "A: No": None, "yes or no": None,
    }),
    (["A dog", "A cat", "The sky", "An apple"], {
        "cat": 1, "B. cat": 1, "A. cat": None, "A cat is on the mat": 1, "A dog or A cat": None, "a dog (option A)": 0,
        "a dog (option B)": None, "A dog, because it barks": 0, "A dog and a cat": None, "C: the sky": 2,
    }),
    (["0", "1", "2", "3", "4 or more"], {
        "zero": 0, "one": 1, "four or more": 4, "4": None, "I count two.": 2, "I count two dogs and one cat": None, "E": 4,
        "C) 2": 2, "D. three": 3, "B. three": None,
    }),
    (["Left antenna", "Right foot", "Lower left arm", "Upper left arm"], {
        "the antenna on the left": None, "left arm": None, "D. The sculpture uses its upper left arm, not the foot.": 3,
        "**Left antenna**: it touches the drum": 0, "A. Left antenna, not the right foot": None, "It is C. Upper left arm": None,
    }),
)  # fmt: skip


@pytest.mark.parametrize("text", RED)
def test_the_second_color(text):
    assert answer_index(text, COLORS) == 1


@pytest.mark.parametrize("text", NONE_OF_THEM)
def test_no_color_or_several(text):
    assert answer_index(text, COLORS) is None


@pytest.mark.parametrize(("choices", "verdicts"), OTHERS)
def test_choices_of_many_kinds(choices, verdicts):
    assert {text: answer_index(text, choices) for text in verdicts} == verdicts


_OTHER_LETTER, _LETTER = (
    re.compile(r"(?<![A-Za-z<'])[ACac](?![A-Za-z])|blue"),
    re.compile(r"(?<![A-Za-z])B(?![A-Za-z])"),
)
_SMALL_LETTER = re.compile(r"(?<![A-Za-z<'/])b(?![A-Za-z>])")
_SPEAKING = ("B for sure", "B, I think", "B I think")  # of I nobody can tell


@pytest.mark.parametrize(("letter", "index"), [("A", 0), ("D", 3), ("I", 8), ("J", 9)])
def test_the_same_shapes_with_letters_that_are_words(letter, index):
    choices = "blue green yellow purple black white brown grey orange pink".split()
    choices[index] = "red"
    shapes = [text for text in RED if _LETTER.search(text) and not _OTHER_LETTER.search(text)]
    assert len(shapes) > 300
    for shape in shapes:
        if letter == "I" and shape in _SPEAKING:
            continue
        text = _SMALL_LETTER.sub(letter.lower(), _LETTER.sub(letter, shape))
        assert (text, answer_index(text, choices)) == (text, index)
