// Polygons drawn on a stream's picture, and whether a point lies in one of them.
import type { Polygon } from "./stream.ts";

/** The point's place as shares of the picture's width and height. What lies on a side of a polygon lies in it. */
export function isInAny(polygons: readonly Polygon[], x: number, y: number): boolean {
  return polygons.some((polygon) => isIn(polygon, x, y));
}

/**
 * A ray from the point to the right crosses the sides of a polygon that it lies in an odd number of times. Sides count as
 * inside, because a zone that ends at the picture's edge is meant to hold what stands on the edge.
 */
function isIn(polygon: Polygon, x: number, y: number): boolean {
  let inside = false;
  let [fromX, fromY] = polygon.at(-1)!;
  for (const [toX, toY] of polygon) {
    if (isOnSide(fromX, fromY, toX, toY, x, y)) return true;
    // Half-open in y, so that a corner on the ray is crossed once and not twice.
    if (fromY > y !== toY > y && x < fromX + ((toX - fromX) * (y - fromY)) / (toY - fromY)) inside = !inside;
    [fromX, fromY] = [toX, toY];
  }
  return inside;
}

/** A millionth of the picture: far less than a pixel, far more than what floats lose. */
const NEAR = 1e-6;

function isOnSide(fromX: number, fromY: number, toX: number, toY: number, x: number, y: number): boolean {
  if (x < Math.min(fromX, toX) - NEAR || x > Math.max(fromX, toX) + NEAR) return false;
  if (y < Math.min(fromY, toY) - NEAR || y > Math.max(fromY, toY) + NEAR) return false;
  const length = Math.hypot(toX - fromX, toY - fromY);
  const area = (toX - fromX) * (y - fromY) - (toY - fromY) * (x - fromX);
  return Math.abs(area) <= NEAR * length;
}
