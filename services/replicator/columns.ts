/** A value of a typed column, ready for a binary array of its PostgreSQL type. */
export type Column = string | number | bigint | boolean | null
