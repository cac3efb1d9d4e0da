//! Each role of a partner against every method of the contracts.

use kit::auth::Role;

use crate::contracts;
use crate::stand::{AGREEMENTS, Stand, call, read, reason};

#[tokio::test]
async fn of_all_methods_only_those_that_were_agreed_reach_a_service() {
    // Everybody asks more than is agreed, whatever comes of it.
    let hurried = |line: &&str| line.starts_with("rate = ") || line.starts_with("burst = ");
    let unhurried: Vec<&str> = AGREEMENTS.lines().filter(|line| !hurried(line)).collect();
    let mut stand = Stand::start(&unhurried.join("\n")).await;
    let methods = contracts::methods(&contracts::pool());
    assert!(methods.len() > 450, "{} methods", methods.len());
    let mut roles = Vec::new();
    for partner in read(AGREEMENTS) {
        let channel = stand.channel(&partner.subject);
        let role: Role = partner.role.parse().expect("a role");
        roles.push(role);
        let more = stand.token("somebody", &[role, Role::CityOfficer, Role::SecurityAdmin]);
        let stolen = stand.token("somebody else", &[Role::CityOfficer, Role::SecurityAdmin]);
        for method in &methods {
            let path = contracts::path(method);
            let agreed = partner.methods.iter().any(|name| path[1..] == **name);
            for (token, reaches) in [
                (None, agreed),
                (Some(&more), agreed),
                (Some(&stolen), false),
            ] {
                let told = call(&channel, &path, token.map(String::as_str)).await;
                let expected: Vec<&str> = reaches.then_some(&*path).into_iter().collect();
                assert_eq!(stand.came(), expected, "{} at {path}", partner.subject);
                match told {
                    Ok(_) => assert!(reaches, "{path}"),
                    Err(refused) => {
                        assert_eq!(reason(&refused), "SCOPE_DENIED", "{path}");
                        assert!(!reaches, "{path}");
                    }
                }
            }
        }
    }
    roles.sort_by_key(|role| role.as_str());
    let systems = [Role::DiseaseControl, Role::Laboratory, Role::PartnerSystem];
    assert_eq!(roles, systems, "an example of each");
}
