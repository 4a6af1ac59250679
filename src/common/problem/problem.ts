/** A kind of error that callers may rely on (RFC 9457). The code never changes. */
export interface ProblemType {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** One plain sentence for a person, used where the thrower says nothing more exact. */
  readonly detail: string;
}

/** One member of `errors` on 422: where, and what would be right. */
export interface FieldError {
  field: string;
  message: string;
}

export interface ProblemOptions {
  detail?: string;
  errors?: FieldError[];
  retryAfterSeconds?: number;
  /** Extra members, documented with the type (RFC 9457, section 3.2). */
  members?: Record<string, unknown>;
  /** Extra response headers. */
  headers?: Record<string, string>;
}

/** Thrown anywhere, answered by the one filter as `application/problem+json`. */
export class Problem extends Error {
  constructor(
    readonly type: ProblemType,
    readonly options: ProblemOptions = {},
  ) {
    super(options.detail ?? type.detail);
  }
}
