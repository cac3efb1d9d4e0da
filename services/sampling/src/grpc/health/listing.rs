//! Pages of what is in one state below an organisation.

use kit::field::Fields;
use kit::page;
use kit::status::Problem;

use crate::grpc::convert::{self, cut};

/// What a page is asked for.
#[derive(Debug)]
pub(super) struct Listed<'a> {
    /// The organisation's identifier.
    pub(super) organization: &'a str,
    /// Only what is in this state; all when it is 0.
    pub(super) state: i16,
    /// What comes after this identifier.
    pub(super) after: String,
    limit: u64,
    binding: Vec<String>,
}

impl<'a> Listed<'a> {
    /// Reads a request. `more` is every argument of the list beside the organisation and the state,
    /// which `is_known` tells from a number that is none.
    ///
    /// # Errors
    /// What is wrong with it: the page size or the token first.
    pub(super) fn read(
        organization: &'a str,
        state: i32,
        is_known: impl Fn(i16) -> bool,
        more: &[String],
        (page_size, page_token): (i32, &str),
    ) -> Result<Self, Problem> {
        let limit = page::size(page_size)?;
        let mut binding = vec![organization.to_owned(), state.to_string()];
        binding.extend_from_slice(more);
        let after = page::after(page_token, &parts(&binding))?.unwrap_or_default();
        let mut fields = Fields::new();
        let organization = convert::organization(&mut fields, "organization", organization);
        let known = i16::try_from(state).ok();
        let known = known.filter(|state| *state == 0 || is_known(*state));
        if known.is_none() {
            fields.violation("state", "请选择有效的选项", "not a known value");
        }
        fields.finish()?;
        Ok(Self {
            organization,
            state: known.unwrap_or_default(),
            after,
            limit,
            binding,
        })
    }

    /// How many rows to read: one more than the page has tells whether there is another.
    pub(super) fn wanted(&self) -> u64 {
        self.limit + 1
    }

    /// Cuts what was read to the page, and returns the token of the next.
    pub(super) fn cut<R>(&self, rows: &mut Vec<R>, id: impl Fn(&R) -> &String) -> String {
        cut(rows, self.limit, |row| {
            page::next(id(row), &parts(&self.binding))
        })
    }
}

fn parts(binding: &[String]) -> Vec<&str> {
    binding.iter().map(String::as_str).collect()
}
