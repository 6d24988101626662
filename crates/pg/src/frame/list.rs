//! A list that a plain frame may hold: its elements lie in palloc'ed memory.

use super::native;
use super::plain::PlainFrame;
use std::marker::PhantomData;

struct Node<T> {
    value: T,
    next: *mut Node<T>,
}

/// Elements in the order in which they were added. Like a [`super::span::Span`], it is valid as
/// long as the memory context in which it was made.
#[derive(Clone, Copy)]
pub struct PlainList<T: Copy> {
    first: *mut Node<T>,
    last: *mut Node<T>,
    elements: PhantomData<T>,
}

impl<T: Copy> PlainList<T> {
    pub fn new() -> Self {
        Self {
            first: std::ptr::null_mut(),
            last: std::ptr::null_mut(),
            elements: PhantomData,
        }
    }

    /// Adds an element at the end. Other copies of the list may not see it.
    pub fn push(&mut self, value: T, _plain: PlainFrame) {
        // SAFETY: palloc returns aligned memory of that size, or raises; frames are plain. `last`
        // is NULL or one of ours.
        unsafe {
            let node = native::palloc(std::mem::size_of::<Node<T>>()).cast::<Node<T>>();
            let next = std::ptr::null_mut();
            node.write(Node { value, next });
            match self.last.as_mut() {
                None => self.first = node,
                Some(last) => last.next = node,
            }
            self.last = node;
        }
    }

    /// The elements.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        let mut at = self.first;
        std::iter::from_fn(move || {
            // SAFETY: NULL, or a node that `push` has made.
            let node = unsafe { at.as_ref() }?;
            at = node.next;
            Some(node.value)
        })
    }
}

impl<T: Copy> Default for PlainList<T> {
    fn default() -> Self {
        Self::new()
    }
}
