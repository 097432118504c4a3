/**
 * How a model's reasoning is steered: not at all because it has none; not at all because it always thinks; by a switch,
 * an effort or level, a budget of tokens, or two of them.
 */
export type ReasoningControl =
  | 'none'
  | 'always'
  | 'switch'
  | 'effort'
  | 'budget'
  | 'switch_and_effort'
  | 'effort_or_budget'
