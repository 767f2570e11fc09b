// What yuv.ts and its kernel agree on: fixed point and records in memory. Plain numbers, which AssemblyScript reads too.

/** Of a weight of bilinear sampling. After both passes a value of 8 bits has 8 + 11 + 11 = 30, which fits an int32. */
export const WEIGHT_BITS = 11;

/** Fractional bits of a sample when its colour is converted: 13 in all, which fit an int16. */
export const SAMPLE_BITS = 5;

/** Fractional bits of the coefficients of colour, the largest of which is 2.14 (BT.2020): so one fits an int16. */
export const COEFFICIENT_BITS = 13;

/** Columns that the kernel makes at a time. */
export const GROUP = 8;

/** Bytes of the record of a group: 8 int32 each of places of luma, places of chroma, and pairs of weights. */
export const GROUP_BYTES = 96;

/** Bytes of the record of a row: 5 int32. */
export const ROW_BYTES = 20;

/** Bytes of the record of colours: 5 int32. */
export const COLOUR_BYTES = 20;
