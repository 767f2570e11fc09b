// Passwords that the fuzz runs look for in everything that the server says and logs.

/** Of the streams that the server has from the start, with all that makes URLs ambiguous. */
export const CAMERA = { user: "admin", password: "p@ss:w/rd.#hunter22" };

/** In the URLs that requests carry. */
export const SENT = "s3ntsecret";
