r"""The patterns of prompt injection: what an attacker writes so that a model obeys the wrong text.

All of them ignore case. Words may be some forty characters apart, but not sentences: that keeps a
pattern about one request for one thing. They are written from what such texts do, not collected
from them; a text that only talks about the subject should pass.
"""

import attrs


@attrs.frozen
class Signal:
    """One way of attacking: the rule's name and its pattern."""

    name: str
    pattern: str


_NEAR = r"[^.!?;]{0,40}"
_CLOSE = r"[^.!?;\n]{0,20}"
_OVERRIDE = (
    r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|overlook|bypass"
    r"|neglect|discard|abandon|pay no attention to|set aside|throw (?:away|out)"
    r"|(?:do not|don'?t|stop|no longer|never|cease) (?:follow|obey|adher|heed|comply)(?:ing)?(?: to| with)?)\b"
)
_EARLIER = r"(?:previous|prior|above|preceding|earlier|former|foregoing|past|initial|original|existing|system)"
_ORDERS = (
    r"(?:instructions?|prompts?|rules|directives?|guidelines?|guidance|commands?|orders"
    r"|constraints|restrictions|programming|training|directions|protocols)"
)
_SECRET = (
    r"(?:(?:system|hidden|secret|initial|original|internal|developer|pre-?)[ -]?"
    r"(?:prompts?|instructions?|messages?|context|rules|directives?|guidelines|configuration)"
    r"|instructions (?:above|you were given)|your (?:own |exact |full |entire )?(?:prompt|instructions))"
)
_REVEAL = (
    r"\b(?:reveal|show|print|repeat|display|output|expose|disclose|leak|dump|recite|echo"
    r"|tell me|give me|share|spell out|write out|translate|summari[sz]e|encode|what (?:is|are|was|were))\b"
)
_UNBOUND = (
    r"(?:(?:no|without(?: any)?|free (?:of|from)(?: all| any)?|zero|not bound by(?: any)?|unbound by)"
    r" (?:\w{1,20}[ ,]{1,2}(?:or |and )?){0,3}(?:restrictions?|limits|limitations|filters?|rules|guidelines|censorship|boundaries|constraints|safeguards|morals|ethics)"
    r"|unrestricted|unfiltered|uncensored|amoral|jailbroken)"
)
_BECOME = (
    r"\b(?:you (?:are|will be|will become|must be|shall be) (?:now |going to )?|act (?:as|like)|pretend (?:to be|you are|you're|that you are)"
    r"|role-?play(?:ing)? as|behave (?:as|like)|simulate|become|take on the (?:role|persona) of|from now on)"
)

SIGNALS: tuple[Signal, ...] = (
    # Take back what the model was told before.
    Signal("override.earlier", rf"(?i:{_OVERRIDE}{_NEAR}\b{_EARLIER}{_CLOSE}\b{_ORDERS}\b)"),
    Signal(
        "override.yours",
        rf"(?i:{_OVERRIDE} (?:all |any |every |each )?(?:of )?(?:your|these|those|the) {_CLOSE}\b{_ORDERS}\b)",
    ),
    Signal(
        "override.told",
        rf"(?i:{_OVERRIDE}{_NEAR}\b(?:you (?:have been|were|are) (?:told|given|instructed|taught|asked)"
        r"|(?:everything|anything|all|whatever)(?: that was| of the)? (?:above|before|said|previously)))",
    ),
    Signal(
        "override.replaced",
        rf"(?i:\b(?:your |the |these are (?:your )?)?(?:new|updated|real|actual|revised) {_ORDERS}"
        r"(?: are| is| follow|:)| \b(?:instructions? (?:above|before this) (?:are|were|is) (?:void|obsolete|fake|wrong|a test)))",
    ),
    Signal(
        "override.instead",
        rf"(?i:{_OVERRIDE}{_NEAR}\b(?:task|assignment|request|question|article|document|text|conversation)\b"
        rf"{_NEAR}\b(?:and|but|then|instead)\b{_CLOSE}\b(?:say|print|write|output|respond|reply|answer|tell|do)\b)",
    ),
    # Make it say what it was told.
    Signal("leak.prompt", rf"(?i:{_REVEAL}{_NEAR}\b{_SECRET}\b)"),
    Signal(
        "leak.above",
        r"(?i:\b(?:repeat|print|output|copy|recite|echo)\b"
        r"[^.!?;]{0,30}\b(?:everything|all|words|text|the (?:text|words|lines))\b[^.!?;\n]{0,20}\b(?:above|before this|so far in this prompt))",
    ),
    Signal(
        "leak.start",
        r"(?i:\b(?:starting|begin(?:ning)?|start) with [\x22'\u201c\u2018]?(?:you are|system|the phrase))",
    ),
    # Make it somebody who has no rules.
    Signal("persona.unbound", rf"(?i:{_BECOME}\b[^.!?;]{{0,60}}\b{_UNBOUND}\b)"),
    Signal(
        "persona.named",
        r"(?i:\b(?:you are|act as|be|become|play|as|called|named|mode:?) [\x22'\u201c]?(?:a )?(?:dan|stan|dude|aim|evil[ -]?bot|jailbreakgpt)\b[\x22'\u201d]?[^.!?;]{0,40}"
        r"\b(?:do anything|mode|can do|no rules|jailbroken|without|machiavelli))",
    ),
    Signal("persona.do_anything", r"(?i:\bdo anything now\b)"),
    Signal(
        "persona.mode",
        r"(?i:\b(?:enable|enter|activate|switch (?:in)?to|turn on|in|with|simulate|go into)\b[^.!?;\n]{0,20}"
        r"\b(?:developer|debug|god|jailbreak|dan|admin|sudo|root|unrestricted|maintenance|evil) mode\b)",
    ),
    Signal(
        "persona.override_word",
        r"(?i:\b(?:developer|admin(?:istrator)?|root|system|sudo) (?:override|access granted)\b)",
    ),
    Signal(
        "persona.stay",
        r"(?i:\b(?:stay|remain|never break|do not break|don'?t break|keep) (?:in|out of )?(?:your )?character\b"
        r"[^.!?;]{0,60}\b(?:refus|rules|polic|guideline|restrict|ethic|warn|cannot|can't))",
    ),
    Signal(
        "persona.two_answers",
        r"(?i:\b(?:two|2|both) (?:different )?(?:responses|answers|ways|outputs)\b[^.!?;]{0,60}"
        r"\b(?:unfiltered|jailbr|dan\b|developer mode|uncensored|without restrictions))",
    ),
    # Take away its brakes.
    Signal(
        "brakes.no_refusal",
        r"(?i:\b(?:never|do not|don'?t|cannot|can't|must not|may not|will not|won't|not allowed to|unable to) (?:ever )?"
        r"(?:refuse|reject|decline|deny) (?:a |any |an |the |my |to (?:answer|comply|do|fulfil))"
        r"[^.!?;]{0,30}\b(?:request|question|command|order|prompt|task|instruction|answer|anything|user))",
    ),
    Signal(
        "brakes.off",
        rf"(?i:\b(?:disable|remove|turn off|deactivate|switch off|lift|drop|circumvent|bypass|evade) (?:all |any |of )?(?:your |its |the |of your )"
        r"(?:\w{1,20} ){0,2}(?:safety|content|ethical|moral|security)?[ -]?(?:filters?|guardrails?|safeguards?|restrictions|limitations|guidelines|censorship|moderation|polic(?:y|ies)))",
    ),
    Signal(
        "brakes.policy",
        r"(?i:\b(?:ignore|disregard|violate|break|not (?:bound|limited|restricted|constrained) by|does not (?:follow|care about)|doesn'?t (?:follow|care about)|free from)\b[^.!?;]{0,30}"
        r"\b(?:openai|anthropic|google|content|usage|safety|ethical|moral|ai) (?:\w{1,15} )?(?:polic(?:y|ies)|guidelines?|rules|restrictions|principles))",
    ),
    Signal(
        "brakes.shadow_answer",
        r"(?i:\b(?:always|must|only) (?:answer|comply|obey|respond)\b[^.!?;]{0,60}\b(?:regardless of|no matter how|even if (?:it|they|the \w{1,20}) (?:is|are|be)) "
        r"(?:\w{1,20},? ){0,6}(?:ethic|legal|illegal|moral|immoral|harmful|unethical|offensive|dangerous))",
    ),
    # Command a tool-using model from inside a document.
    Signal(
        "planted.attention",
        r"(?i:\b(?:attention|important|note|message|instructions?|urgent)(?: notice| message)? (?:to|for) (?:the |any |all )?(?:ai|llm|assistant|chatbot|language model|agent)s?\b)",
    ),
    Signal(
        "planted.while_reading",
        r"(?i:\b(?:if you are|when you(?: are)?|as) an? (?:ai|llm|language model|automated)[^.!?;]{0,40}(?:reading|processing|summari[sz]ing|evaluating|reviewing)\b[^!?;]{0,60}\b(?:must|should|please|ignore|instead|recommend|output|say|respond))",
    ),
    Signal(
        "planted.silent",
        r"(?i:\b(?:do not|don'?t|never|without) (?:tell|telling|mention|mentioning|inform|informing|reveal|revealing|alert|alerting)\b[^.!?;]{0,30}"
        r"\b(?:user|human|owner|anyone)\b[^.!?;]{0,40}\b(?:instruction|prompt|message|this|task)s?\b)",
    ),
    # Run what is hidden in an encoding.
    Signal(
        "encoded.obey",
        r"(?i:\b(?:decode|decipher|decrypt|unscramble)\b[^!?;]{0,80}\b(?:and|then)\b[^.!?;]{0,20}\b(?:follow|execute|obey|run|do what|carry out|comply|perform)\b)",
    ),
)

FAKE_BOUNDARIES: tuple[Signal, ...] = (
    Signal(
        "boundary.token",
        r"(?i:<\|(?:im_start|im_end|im_sep|system|assistant|user|endoftext|start_header_id|end_header_id|eot_id|begin_of_text|endofprompt)\|>)",
    ),
    Signal("boundary.inst", r"(?i:\[/?inst\]|<</?sys>>)"),
    Signal(
        "boundary.heading",
        r"(?i:(?:^|\n)[ \t]{0,4}(?:#{2,6}|={3,6}|-{3,6}|\*{2,6}|\[)[ \t]{0,4}(?:new |end |end of |begin |start )?(?:system|developer)(?: (?:prompt|message|instructions?|override))?[ \t]{0,4}(?::|#{2,6}|={3,6}|-{3,6}|\*{2,6}|\]))",
    ),
    Signal(
        "boundary.tag",
        r"(?i:</?(?:system|system[_-](?:prompt|message|instructions?)|user[_-](?:input|message|query)|untrusted[_-]\w{1,20}|instructions?)>)",
    ),
    Signal(
        "boundary.end_of",
        r"(?i:\b(?:end of|begin|start of|end) (?:the )?(?:system |user |untrusted )(?:prompt|message|input|instructions?|data)\b[^.!?;]{0,20}(?:\n|:|\]|-{3}))",
    ),
)
"""Marks that only the template of a chat writes; inside a text they pretend to end it."""
