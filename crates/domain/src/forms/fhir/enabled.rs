//! Which items of a response are enabled.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::read::{EnableWhen, Operator, Questionnaire};
use super::value::Given;

/// An item of a response with its place.
pub(super) struct Node<'a> {
    pub raw: &'a Map<String, Value>,
    pub link_id: &'a str,
    /// Its item of the questionnaire; none for one that is not there.
    pub item: Option<usize>,
    pub parent: Option<usize>,
    /// Places of the items in it.
    pub children: Vec<usize>,
    /// Its answers; none where one is malformed.
    pub answers: Vec<Option<Given<'a>>>,
    pub enabled: bool,
}

/// Marks every node as enabled or not. Answers of what is not enabled count as not given.
pub(super) fn mark(of: &Questionnaire<'_>, nodes: &mut [Node<'_>]) {
    let mut by_item: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        if let Some(item) = node.item {
            by_item.entry(item).or_default().push(index);
        }
    }
    for item in &of.order {
        for index in by_item.get(item).into_iter().flatten() {
            let parent = nodes.get(*index).and_then(|node| node.parent);
            let enabled = is_enabled(of, nodes, *item, parent, &by_item);
            if let Some(node) = nodes.get_mut(*index) {
                node.enabled = enabled;
            }
        }
    }
}

/// Whether an item is enabled where it lies in (or is missing from) `parent`.
fn is_enabled(
    of: &Questionnaire<'_>,
    nodes: &[Node<'_>],
    item: usize,
    parent: Option<usize>,
    by_item: &BTreeMap<usize, Vec<usize>>,
) -> bool {
    if parent.and_then(|parent| nodes.get(parent)).is_some_and(|parent| !parent.enabled) {
        return false;
    }
    let Some(item) = of.items.get(item) else { return false };
    let holds = |when: &EnableWhen<'_>| {
        let given = nearest(nodes, by_item.get(&when.question).map_or(&[], Vec::as_slice), parent);
        holds(when, &given)
    };
    match item.enable_when.len() {
        0 => true,
        _ if item.any => item.enable_when.iter().any(holds),
        _ => item.enable_when.iter().all(holds),
    }
}

/// The same for an item that is not there, once every node is marked.
pub(super) fn missing_is_enabled(
    of: &Questionnaire<'_>,
    nodes: &[Node<'_>],
    item: usize,
    parent: Option<usize>,
) -> bool {
    let mut by_item: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for when in of.items.get(item).map_or(&[][..], |item| &item.enable_when) {
        let found = nodes.iter().enumerate().filter(|(_, node)| node.item == Some(when.question));
        by_item.insert(when.question, found.map(|(index, _)| index).collect());
    }
    is_enabled(of, nodes, item, parent, &by_item)
}

/// The answers of the enabled instances that share the innermost holder with `parent`: in a repeated group the
/// question of the same repetition.
fn nearest<'a>(nodes: &[Node<'a>], instances: &[usize], parent: Option<usize>) -> Vec<Given<'a>> {
    let holders = |from: Option<usize>| {
        let mut list = Vec::new();
        let mut next = from;
        while let Some(index) = next {
            list.push(index);
            next = nodes.get(index).and_then(|node| node.parent);
        }
        list.reverse();
        list
    };
    let own = holders(parent);
    let shared = |instance: usize| {
        let theirs = holders(Some(instance));
        own.iter().zip(&theirs).take_while(|(left, right)| left == right).count()
    };
    let closeness: Vec<(usize, usize)> = instances.iter().map(|index| (shared(*index), *index)).collect();
    let best = closeness.iter().map(|one| one.0).max().unwrap_or(0);
    let closest = closeness.into_iter().filter(|one| one.0 == best).filter_map(|one| nodes.get(one.1));
    closest.filter(|node| node.enabled).flat_map(|node| node.answers.iter().flatten().copied()).collect()
}

fn holds(when: &EnableWhen<'_>, given: &[Given<'_>]) -> bool {
    let ordered = |wanted: &[Ordering]| {
        given.iter().any(|given| given.compare(&when.answer).is_some_and(|order| wanted.contains(&order)))
    };
    match when.operator {
        Operator::Exists => when.answer == Given::Boolean(!given.is_empty()),
        Operator::Equal => given.iter().any(|given| when.answer.same(given)),
        Operator::NotEqual => !given.iter().any(|given| when.answer.same(given)),
        Operator::Greater => ordered(&[Ordering::Greater]),
        Operator::Less => ordered(&[Ordering::Less]),
        Operator::GreaterOrEqual => ordered(&[Ordering::Greater, Ordering::Equal]),
        Operator::LessOrEqual => ordered(&[Ordering::Less, Ordering::Equal]),
    }
}
