'use strict';

/** Mutations of the rows of the ordering tables: an order made relaxed. */

/** @type {import('./mutations').Mutation[]} */
const ORDERS = [];

/** @type {import('./mutations').Untried[]} */
const UNTRIED = [];

module.exports = { ORDERS, UNTRIED };
